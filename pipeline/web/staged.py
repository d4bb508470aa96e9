"""The batch signer's desk: a package uploaded once, its plan, every mark page by page, one consent."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from pipeline.errors import UsageRefused, WrongState
from pipeline.failures import refusals
from pipeline.staging import STAGED, Staged, StagedRun, oldest_first
from pipeline.web.desk import FOLDER_PREFIX, Desk, wants_json
from pipeline.web.openapi import PLAN_BODY, RUN_BODY, UPLOAD_BODY
from pipeline.web.plan_input import plan_of_form, plan_of_json
from pipeline.web.starting_plans import example_plan
from pipeline.web.uploads import is_json, receive_form, receive_json
from stages.derive import Choices

MAX_STAGED = 6
"""Packages that may wait at one time; each can fill 1 GB of disk, and twice as much when tried out."""
MAX_FORM_BYTES = 512 * 1024
MAX_SHOWN_MARKS = 3_000
MAX_SHOWN_PAGES = 1_500
PICTURE_AGE_S = 24 * 3600


@dataclass(frozen=True)
class Waiting:
    """A package that waits for its plan, as the list shows it."""

    id: str
    name: str
    files: int
    size_bytes: int


def staged_routes(desk: Desk) -> APIRouter:
    """Return the routes of uploaded packages."""
    sealine = desk.sealine
    router = APIRouter(prefix="/bids/staged", tags=["bids"])
    uploading = 0

    def staged(staged_id: str) -> Staged:
        return sealine.staging.staged(desk.folder(staged_id), actor=sealine.actor)

    @router.post("", openapi_extra=UPLOAD_BODY)
    async def upload(request: Request) -> Response:
        """Take a package in, look at every file, and keep it for a day until it is signed or discarded."""
        nonlocal uploading
        check_waiting_room(desk, uploading=uploading)
        folder = desk.new_folder()
        uploading += 1
        try:
            form = await receive_form(request, folder)
            package = form.file("package", "投标文件包（zip、rar 或 PDF）")
            choices = Choices(repair=form.text("repair") == "yes", decrypt=form.text("decrypt") == "yes")
            async with desk.heavy:
                taken = await anyio.to_thread.run_sync(
                    partial(sealine.staging.stage, package, folder, actor=sealine.actor, choices=choices)
                )
        except BaseException:
            await anyio.to_thread.run_sync(partial(shutil.rmtree, folder, ignore_errors=True))
            raise
        finally:
            uploading -= 1
        staged_id = folder.name.removeprefix(FOLDER_PREFIX)
        if wants_json(request):
            return JSONResponse({"staged": staged_id, "files": list(taken.checked)})
        return desk.go(request, f"/bids/staged/{staged_id}")

    @router.get("/{staged_id}")
    def show(request: Request, staged_id: str) -> Response:
        """Show an uploaded package: its files and what pre-flight says, and a plan to start from."""
        taken = staged(staged_id)
        if wants_json(request):
            return JSONResponse({"staged": staged_id, "files": list(taken.checked)})
        seals = sealine.seals.list(actor=sealine.actor)
        return desk.page(
            request,
            "staged.html",
            staged_id=staged_id,
            taken=taken,
            tree=tree_of(taken.checked),
            seals=seals,
            plan=example_plan(seals),
            presets=sealine.plans.list(actor=sealine.actor),
        )

    @router.post("/{staged_id}/runs", openapi_extra=PLAN_BODY)
    async def dry_run(request: Request, staged_id: str) -> Response:
        """Try a plan out on an uploaded package: every mark, warnings first; no key is touched."""
        taken = await anyio.to_thread.run_sync(staged, staged_id)
        plan = await _plan(desk, request)
        async with desk.heavy:
            run = await anyio.to_thread.run_sync(
                partial(sealine.staging.dry_run, taken, plan, actor=sealine.actor)
            )
        if wants_json(request):
            return JSONResponse({"run": run.id, **run.found})
        return desk.page(request, "_run.html", **run_page(staged_id, run))

    @router.get("/{staged_id}/runs/{run_id}/marks.csv")
    def table(staged_id: str, run_id: str) -> Response:
        """Return every mark as CSV."""
        run = sealine.staging.run(staged(staged_id), run_id, actor=sealine.actor)
        return FileResponse(run.folder / "marks.csv", filename="用印清单.csv", media_type="text/csv")

    @router.get("/{staged_id}/runs/{run_id}/{file_number}/{page_number}/{size}.png")
    def picture(staged_id: str, run_id: str, file_number: int, page_number: int, size: str) -> Response:
        """Return a page as it will be signed: `small` or `large`, drawn when first asked for."""
        path = sealine.staging.picture(
            staged(staged_id),
            run_id,
            file_number=file_number,
            page_number=page_number,
            size=size,
            actor=sealine.actor,
        )
        headers = {"Cache-Control": f"private, max-age={PICTURE_AGE_S}, immutable"}
        return FileResponse(path, media_type="image/png", headers=headers)

    @router.post("/{staged_id}/sign", openapi_extra=RUN_BODY)
    async def sign(request: Request, staged_id: str) -> Response:
        """Have the package signed by the very plan of a dry run; it is no longer kept here then."""
        taken = await anyio.to_thread.run_sync(staged, staged_id)
        run_id = await _run_id(request)
        async with desk.heavy:
            record = await anyio.to_thread.run_sync(
                partial(sealine.staging.submit, taken, run_id, actor=sealine.actor, key_uri=sealine.key_uri)
            )
            await anyio.to_thread.run_sync(partial(shutil.rmtree, taken.folder, ignore_errors=True))
        if wants_json(request):
            return JSONResponse({"package": record.id})
        return desk.go(request, f"/bids/{record.id}")

    @router.delete("/{staged_id}")
    def delete(staged_id: str) -> Response:
        """Discard an uploaded package."""
        shutil.rmtree(staged(staged_id).folder, ignore_errors=True)
        return JSONResponse({"staged": staged_id})

    @router.post("/{staged_id}/discard", include_in_schema=False)
    def discard(request: Request, staged_id: str) -> Response:
        """Discard an uploaded package, from the screen."""
        shutil.rmtree(staged(staged_id).folder, ignore_errors=True)
        return desk.go(request, "/bids")

    return router


def waiting_packages(desk: Desk) -> list[Waiting]:
    """Return the packages of this actor's that wait for their plan, newest first."""
    found = []
    for folder in reversed(oldest_first(_staged_folders(desk))):
        try:
            taken = desk.sealine.staging.staged(folder, actor=desk.sealine.actor, used=False)
        except refusals():
            continue
        package = taken.held.package
        staged_id = folder.name.removeprefix(FOLDER_PREFIX)
        found.append(Waiting(staged_id, package.name, len(package.files), taken.size_bytes))
    return found


def check_waiting_room(desk: Desk, *, uploading: int = 0) -> None:
    """Check that another package may be uploaded.

    Args:
        uploading: how many are on their way at this moment.

    Raises:
        WrongState: MAX_STAGED packages wait already.
    """
    if len(_staged_folders(desk)) + uploading >= MAX_STAGED:
        raise WrongState(
            f"{MAX_STAGED} uploaded packages wait for their plan already; sign or discard one of them",
            zh=f"已有 {MAX_STAGED} 个上传的文件包等待处理，请先签章或放弃其中一个",
        )


def _staged_folders(desk: Desk) -> list[Path]:
    desk.sweep_folders()
    return [path.parent for path in desk.sealine.settings.scratch_folder.glob(f"{FOLDER_PREFIX}*/{STAGED}")]


async def _plan(desk: Desk, request: Request) -> bytes:
    plans, actor = desk.sealine.plans, desk.sealine.actor
    if is_json(request):
        return plan_of_json(await receive_json(request), plans, actor=actor)
    form = await receive_form(request, None, max_bytes=MAX_FORM_BYTES)
    return plan_of_form(form, plans, actor=actor)


async def _run_id(request: Request) -> str:
    if is_json(request):
        run_id = (await receive_json(request)).get("run")
    else:
        form = await receive_form(request, None, max_bytes=MAX_FORM_BYTES)
        if form.text("consent") != "yes":
            raise UsageRefused(
                "look at the marks and tick the consent before signing", zh="请先查看预演并勾选同意，再签章"
            )
        run_id = form.text("run")
    if not isinstance(run_id, str) or not run_id:
        raise UsageRefused("no dry run was named; make one first", zh="请先预演，再签章")
    return run_id


def tree_of(checked: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the files of a package by their folder, in order; those at the top have an empty one."""
    folders: dict[str, list[Mapping[str, Any]]] = {}
    for file in checked:
        folders.setdefault(file["file"].rpartition("/")[0], []).append(file)
    return sorted(folders.items())


def run_page(staged_id: str, run: StagedRun) -> dict[str, Any]:
    """Return what the page of a dry run shows."""
    found = run.found
    marks_of: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for mark in found["marks"]:
        marks_of.setdefault((mark["file"], mark["page"]), []).append(mark)
    errors = {entry["file"]: entry["error"] for entry in found["errors"]}
    warnings: dict[str, list[str]] = {}
    for entry in found["warnings"]:
        warnings.setdefault(entry["file"], []).append(entry["warning"])
    left = MAX_SHOWN_PAGES
    sheets = []
    for number, file in enumerate(found["summary"]["files"], start=1):
        pages = sorted(page for name, page in marks_of if name == file["file"])
        shown, left = pages[:left], max(0, left - len(pages))
        sheets.append(
            {
                **file,
                "number": number,
                "error": errors.get(file["file"]),
                "said": warnings.get(file["file"], []),
                "shown": [
                    (page, list(dict.fromkeys(mark["seal"] for mark in marks_of[file["file"], page])))
                    for page in shown
                ],
                "more_pages": len(pages) - len(shown),
            }
        )
    numbers = {sheet["file"]: sheet["number"] for sheet in sheets}
    return {
        "staged_id": staged_id,
        "run": run.id,
        "sheets": sheets,
        "seals": found["summary"]["seals"],
        "marks": [(numbers[mark["file"]], mark) for mark in found["marks"][:MAX_SHOWN_MARKS]],
        "mark_count": found["summary"]["marks"],
        "errors": found["errors"],
        "warnings": found["warnings"],
        "without": found["summary"]["files_without_marks"],
    }
