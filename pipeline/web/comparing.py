"""The screen that lays two seals over each other: old against new, or a scan against a seal made here."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from pipeline.documents_json import comparison_json
from pipeline.errors import UsageRefused
from pipeline.web.desk import Desk, check_id, wants_json
from pipeline.web.uploads import ReceivedForm, receive_form
from storage.errors import NotFound

MAX_COMPARED_UPLOAD_BYTES = 402 * 1024 * 1024
"""Two scans, and the form around them."""
SIDES = (("first", "第一枚印章"), ("second", "第二枚印章"))
_PICTURE = "difference.png"


def compare_routes(desk: Desk) -> APIRouter:
    """Return the routes of the comparison."""
    sealine = desk.sealine
    router = APIRouter(prefix="/seals/compare")

    @router.get("")
    def ask(request: Request) -> Response:
        """Ask for two seals."""
        made = sealine.seals.list(actor=sealine.actor)
        return desk.page(request, "compare.html", seals=list(reversed(made)), sides=SIDES)

    @router.post("")
    async def compare(request: Request) -> Response:
        """Compare two seals, and show where they differ."""
        folder = desk.new_folder()
        try:
            form = await receive_form(request, folder, max_bytes=MAX_COMPARED_UPLOAD_BYTES)
            first, second = (_given(form, side, zh) for side, zh in SIDES)
            act = partial(sealine.seals.compare, first, second, folder / _PICTURE, actor=sealine.actor)
            async with desk.heavy:
                document: dict[str, Any] = comparison_json(await anyio.to_thread.run_sync(act))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        document["picture"] = f"/seals/compare/{folder.name[4:]}/{_PICTURE}"
        if wants_json(request):
            return JSONResponse(document)
        return desk.page(request, "_compared.html", found=document)

    @router.get("/{folder_id}/" + _PICTURE)
    def picture(folder_id: str) -> Response:
        """Return a difference picture."""
        path = desk.folder(folder_id) / _PICTURE
        if not path.is_file():
            raise NotFound("there is no such picture", zh="没有这张图片")
        return FileResponse(path)

    return router


def _given(form: ReceivedForm, side: str, zh: str) -> Path:
    """Return the file sent for one side, or the id of the seal chosen for it.

    Raises:
        UsageRefused: neither.
        NotFound: the id has not the form of one.
    """
    if side in form.files:
        return form.files[side]
    chosen = form.text(f"{side}_seal")
    if not chosen:
        raise UsageRefused(
            f"the {side} seal is missing; choose one that was made here, or send a file",
            zh=f"请为{zh}选择已制作的印章，或上传扫描件、印章图像",
        )
    return Path(check_id(chosen, "印章"))
