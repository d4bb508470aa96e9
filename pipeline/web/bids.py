"""The screens of the bid line: a package goes in, its marks are shown, it is signed, it is taken home."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response, StreamingResponse

from pipeline.clock import utc_now
from pipeline.documents_json import dry_run_json, result_json
from pipeline.errors import Unavailable, WrongState
from pipeline.packages import HeldPackage
from pipeline.results import FileResult
from pipeline.web.desk import FOLDER_PREFIX, Desk, check_id, wants_json
from pipeline.web.openapi import PACKAGE_BODY
from pipeline.web.plan_input import plan_of_form, plan_of_json
from pipeline.web.staged import waiting_packages
from pipeline.web.uploads import is_json, receive_form, receive_json
from pipeline.web.zips import stream_zip
from storage.errors import NotFound
from storage.schema import FINAL_STATES, JobState

POLL_S = 0.3
HEARTBEAT_S = 15.0
MAX_STREAMS = 32
MAX_SHOWN_PACKAGES = 20
DONE = (JobState.ARCHIVED, JobState.KEPT_UNSIGNED)
"""States in which there is something to take home."""


def bid_routes(desk: Desk) -> APIRouter:
    """Return the routes of the bid line."""
    sealine = desk.sealine
    router = APIRouter(prefix="/bids", tags=["bids"])
    streams = 0

    @router.get("", include_in_schema=False)
    def bids(request: Request) -> Response:
        """Show the way in, what waits for its plan, and what was handed in last."""
        packages = sealine.bids.packages(limit=MAX_SHOWN_PACKAGES, actor=sealine.actor)
        seals = sealine.seals.list(actor=sealine.actor)
        return desk.page(request, "bids.html", seals=seals, packages=packages, waiting=waiting_packages(desk))

    @router.post("/preview", openapi_extra=PACKAGE_BODY)
    async def preview(request: Request) -> Response:
        """Return every mark a plan would draw on a package; no key is touched, nothing is kept."""
        async with _received(desk, request) as (package, plan), desk.heavy:
            run = await anyio.to_thread.run_sync(
                partial(sealine.bids.dry_run, package, plan, actor=sealine.actor)
            )
        return JSONResponse(dry_run_json(run))

    @router.post("", openapi_extra=PACKAGE_BODY)
    async def sign(request: Request) -> Response:
        """Take a package in and set it going."""
        async with _received(desk, request) as (package, plan), desk.heavy:
            record = await anyio.to_thread.run_sync(
                partial(sealine.bids.submit, package, plan, actor=sealine.actor, key_uri=sealine.key_uri)
            )
        if wants_json(request):
            return JSONResponse({"package": record.id})
        return desk.go(request, f"/bids/{record.id}")

    @router.get("/{package_id}")
    def show_package(request: Request, package_id: str) -> Response:
        """Show how far each file of a package is."""
        results = _results(desk, package_id)
        if wants_json(request):
            return JSONResponse({"package": package_id, "files": [result_json(result) for result in results]})
        return desk.page(request, "package.html", **_package_page(package_id, results))

    @router.get("/{package_id}/events")
    async def events(request: Request, package_id: str) -> Response:
        """Tell, as server-sent events, whenever a file of a package goes on."""
        await anyio.to_thread.run_sync(_results, desk, package_id)
        if streams >= MAX_STREAMS:
            raise Unavailable(
                f"{MAX_STREAMS} screens are being kept up to date already; close some",
                zh=f"同时更新的页面已达 {MAX_STREAMS} 个，请先关闭一些",
            )
        return StreamingResponse(stream(request, package_id), media_type="text/event-stream")

    async def stream(request: Request, package_id: str) -> AsyncIterator[str]:
        nonlocal streams
        streams += 1
        try:
            last, spoke_at = "", time.monotonic()
            while not await request.is_disconnected():
                began = time.monotonic()
                results = await anyio.to_thread.run_sync(_results, desk, package_id)
                html = desk.templates.get_template("_files.html").render(_package_page(package_id, results))
                if html != last:
                    last, spoke_at = html, time.monotonic()
                    yield event("files", html)
                if all(result.state in FINAL_STATES for result in results):
                    yield event("done", "")
                    return
                if time.monotonic() - spoke_at > HEARTBEAT_S:
                    spoke_at = time.monotonic()
                    yield ": still here\n\n"
                await asyncio.sleep(max(POLL_S, 5 * (time.monotonic() - began)))
        finally:
            streams -= 1

    @router.get("/{package_id}/files/{number}")
    def signed_file(package_id: str, number: str) -> Response:
        """Return one signed file."""
        results = _results(desk, package_id)
        if not number.isascii() or not number.isdecimal() or not 1 <= int(number[:9]) <= len(results):
            raise NotFound("the package has no such file", zh="文件包中没有这个文件")
        result = results[int(number) - 1]
        if result.void is not None:
            raise WrongState(
                f"{result.file} is void; see the archive", zh=f"{result.file} 已作废，请到档案中查看"
            )
        if result.state not in DONE:
            raise WrongState(f"{result.file} is not signed yet", zh=f"{result.file} 尚未完成签章")
        path = _taken_home(desk, package_id, [result])[0]
        return FileResponse(path, filename=path.name, media_type="application/pdf")

    @router.get("/{package_id}/all.zip")
    def all_files(package_id: str) -> Response:
        """Return every signed file of a package in one zip."""
        done = [
            result for result in _results(desk, package_id) if result.state in DONE and result.void is None
        ]
        if not done:
            raise WrongState("no file of the package is signed yet", zh="还没有完成签章的文件")
        paths = _taken_home(desk, package_id, done)
        names = [result.file for result in done]
        return StreamingResponse(
            stream_zip(zip(names, paths, strict=True), made_at=utc_now().astimezone()),
            media_type="application/zip",
            headers={"Content-Disposition": f"attachment; filename*=utf-8''{quote('签章结果.zip')}"},
        )

    return router


def event(name: str, html: str) -> str:
    """Return a server-sent event; every line of its data is a line of its own (HTML §9.2.6)."""
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in html.splitlines() or [""]) + "\n"


@asynccontextmanager
async def _received(desk: Desk, request: Request) -> AsyncIterator[tuple[Path | HeldPackage, bytes]]:
    """Give the package and the plan somebody sent, for the length of a block.

    JSON names a package that was uploaded before; it stays where it is.
    """
    sealine = desk.sealine
    if is_json(request):
        document = await receive_json(request)
        plan = plan_of_json(document, sealine.plans, actor=sealine.actor)
        folder = desk.folder(str(document.get("staged", "")))
        staged = await anyio.to_thread.run_sync(partial(sealine.staging.staged, folder, actor=sealine.actor))
        with TemporaryDirectory(dir=folder, prefix="once-") as scratch:
            yield replace(staged.held, scratch=Path(scratch)), plan
        return
    folder = desk.new_folder()
    try:
        form = await receive_form(request, folder)
        plan = plan_of_form(form, sealine.plans, actor=sealine.actor)
        yield form.file("package", "投标文件包（zip、rar 或 PDF）"), plan
    finally:
        await anyio.to_thread.run_sync(partial(shutil.rmtree, folder, ignore_errors=True))


def _results(desk: Desk, package_id: str) -> list[FileResult]:
    check_id(package_id, "文件包")
    results = desk.sealine.bids.results(package_id, actor=desk.sealine.actor)
    if not results:
        raise NotFound("there is no such package", zh="没有这个文件包")
    return results


def _taken_home(desk: Desk, package_id: str, wanted: Sequence[FileResult]) -> list[Path]:
    """Return where signed files lie, having them written out when they are not yet."""
    folder = desk.sealine.settings.scratch_folder / f"{FOLDER_PREFIX}out-{package_id}"
    paths = [folder / result.file for result in wanted]
    if not all(path.is_file() for path in paths):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        desk.sealine.bids.results(package_id, folder, actor=desk.sealine.actor)
    return paths


def _package_page(package_id: str, results: Sequence[FileResult]) -> dict[str, Any]:
    return {
        "package_id": package_id,
        "files": results,
        "done": sum(result.state in DONE for result in results),
        "kept": sum(result.state is JobState.KEPT_UNSIGNED for result in results),
        "withdrawn": sum(result.state is JobState.CANCELLED for result in results),
        "refused": sum(result.state is JobState.REFUSED for result in results),
        "waiting": sum(result.state is JobState.AWAITING_TIMESTAMP for result in results),
        "over": all(result.state in FINAL_STATES for result in results),
    }
