"""The acts that take documents back: a package is withdrawn, an archived document is voided."""

import shutil
from functools import partial

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from pipeline.documents_json import taken_back_json
from pipeline.errors import UsageRefused
from pipeline.web.desk import Desk, check_id, wants_json
from pipeline.web.uploads import receive_form


def taking_back_routes(desk: Desk) -> APIRouter:
    """Return the routes; whoever asks must have said so twice, and why."""
    sealine = desk.sealine
    router = APIRouter()

    @router.post("/archive/{archive_id}/void")
    async def void(request: Request, archive_id: str) -> Response:
        """Void an archived document."""
        check_id(archive_id, "档案")
        reason, _ = await _asked(desk, request)
        async with desk.heavy:
            await anyio.to_thread.run_sync(
                partial(sealine.withdrawals.void, archive_id, reason=reason, actor=sealine.actor)
            )
        if wants_json(request):
            return JSONResponse(sealine.archive.show(archive_id, actor=sealine.actor))
        return desk.go(request, f"/archive/{archive_id}")

    @router.post("/bids/{package_id}/withdraw")
    async def withdraw(request: Request, package_id: str) -> Response:
        """Withdraw a package, or one file of it."""
        check_id(package_id, "文件包")
        reason, file = await _asked(desk, request)
        async with desk.heavy:
            taken = await anyio.to_thread.run_sync(
                partial(
                    sealine.withdrawals.withdraw,
                    package_id,
                    reason=reason,
                    actor=sealine.actor,
                    file=file or None,
                )
            )
        if wants_json(request):
            return JSONResponse({"package": package_id, "files": [taken_back_json(one) for one in taken]})
        if len(taken) == 1 and taken[0].error is not None:
            raise taken[0].error
        return desk.go(request, f"/bids/{package_id}")

    return router


async def _asked(desk: Desk, request: Request) -> tuple[str, str]:
    """Return the reason, and the file where one was named.

    Raises:
        UsageRefused: not confirmed.
    """
    folder = desk.new_folder()
    try:
        form = await receive_form(request, folder)
    finally:
        await anyio.to_thread.run_sync(partial(shutil.rmtree, folder, ignore_errors=True))
    if form.text("sure") != "yes":
        raise UsageRefused("confirm that it is to be taken back", zh="请先勾选确认")
    return form.text("reason"), form.text("file")
