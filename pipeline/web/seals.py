"""The screens of the seal line: a scan goes in, its seals are looked at, one becomes an electronic seal."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.background import BackgroundTask

from pipeline.documents_json import seal_json
from pipeline.errors import UsageRefused
from pipeline.seals import SealWish
from pipeline.slots import read_slot
from pipeline.web.desk import Desk, check_id, wants_json
from pipeline.web.previews import draw_previews
from pipeline.web.uploads import receive_form
from seal_imaging import InkChoice, Reason
from seal_imaging.form import MAX_ORDER_NUMBER_CHARS
from stages.extract import ExtractOptions, extraction_json
from stages.make import SealKind
from stages.pdf.slot_text import MAX_SLOTS
from stages.seal_reading import ExpectedNames
from storage.errors import NotFound

MAX_SCAN_UPLOAD_BYTES = 201 * 1024 * 1024
"""What ingest takes as a scan, and the form around it."""
MAX_TEXTS_BYTES = 1024 * 1024
MAX_WISH_CHARS = 200
_PICTURE = re.compile(r"(page-[0-9]{1,4}\.jpg|(impression|seal)-[0-9]{2,4}(-sources)?\.png)")
_SCREEN = "screen.json"


def seal_routes(desk: Desk) -> APIRouter:
    """Return the routes of the seal line."""
    sealine = desk.sealine
    router = APIRouter(prefix="/seals")

    @router.get("")
    def seals(request: Request) -> Response:
        """Show the way in, and the seals that are there."""
        made = sealine.seals.list(actor=sealine.actor)
        return desk.page(request, "seals.html", seals=list(reversed(made)), kinds=SealKind)

    @router.post("/scans")
    async def take_scan(request: Request) -> Response:
        """Lift the seals off a scan."""
        folder = desk.new_folder()
        try:
            form = await receive_form(request, folder, max_bytes=MAX_SCAN_UPLOAD_BYTES)
            scan = form.file("scan", "扫描件")
            options = read_options(form.fields)
            async with desk.heavy:
                screen = await anyio.to_thread.run_sync(partial(_extract, desk, scan, folder, options))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if wants_json(request):
            return JSONResponse({"scan": folder.name[4:], **screen["extraction"]})
        return desk.go(request, f"/seals/scans/{folder.name[4:]}")

    @router.post("/scans/{folder_id}")
    async def state_scale(request: Request, folder_id: str) -> Response:
        """Lift them again, now that somebody measured a seal or knows the resolution."""
        folder = desk.folder(folder_id)
        form = await receive_form(request, None, max_bytes=MAX_TEXTS_BYTES)
        options = read_options(form.fields)
        scan = folder / _read_screen(folder)["scan"]
        async with desk.heavy:
            await anyio.to_thread.run_sync(partial(_extract, desk, scan, folder, options))
        return desk.go(request, f"/seals/scans/{folder_id}")

    @router.get("/scans/{folder_id}")
    def show_scan(request: Request, folder_id: str) -> Response:
        """Show the scan with its boxes, beside what was lifted off it."""
        screen = _read_screen(desk.folder(folder_id))
        return desk.page(
            request,
            "scan.html",
            folder_id=folder_id,
            kinds=SealKind,
            reason_names={reason.value: reason.name for reason in Reason},
            **screen,
            **screen["extraction"],
        )

    @router.get("/scans/{folder_id}/{picture}")
    def picture(folder_id: str, picture: str) -> Response:
        """Return a picture of a working folder."""
        path = desk.folder(folder_id) / picture
        if not _PICTURE.fullmatch(picture) or not path.is_file():
            raise NotFound("there is no such picture", zh="没有这张图片")
        return FileResponse(path)

    @router.post("/scans/{folder_id}/seals/{number}")
    async def make_seal(request: Request, folder_id: str, number: str) -> Response:
        """Make an electronic seal of one of the seal images."""
        folder = desk.folder(folder_id)
        form = await receive_form(request, None, max_bytes=MAX_TEXTS_BYTES)
        found = _read_screen(folder)["extraction"]["seals"]
        if not number.isascii() or not number.isdecimal() or int(number[:9]) >= len(found):
            raise NotFound("there is no such seal on the scan", zh="扫描件上没有这枚印章")
        wish = read_wish(form.fields)
        accepted = [reason for reason in Reason if form.fields.get(f"accept_{reason.name}") == "yes"]
        image = folder / str(found[int(number)]["image"])

        def make() -> dict[str, Any]:
            made = sealine.seals.make(
                image, wish, actor=sealine.actor, key_uri=sealine.key_uri, accepted_reasons=accepted
            )
            return seal_json(*sealine.seals.show(made.id, actor=sealine.actor))

        document = await anyio.to_thread.run_sync(make)
        if wants_json(request):
            return JSONResponse(document)
        return desk.page(request, "_made.html", seal=document, kinds=SealKind)

    @router.get("/{seal_id}/image")
    def image(seal_id: str) -> Response:
        """Return the image of an electronic seal."""
        path, folder = _saved(desk, seal_id, 0)
        return FileResponse(path, media_type="image/png", background=BackgroundTask(shutil.rmtree, folder))

    @router.get("/{seal_id}/eseal")
    def eseal(seal_id: str) -> Response:
        """Return an electronic seal (GB/T 38540) as a file."""
        path, folder = _saved(desk, seal_id, 1)
        return FileResponse(path, filename=path.name, background=BackgroundTask(shutil.rmtree, folder))

    return router


def read_number(text: str) -> float | None:
    """Return a number; None for an empty field.

    Raises:
        UsageRefused: not a number.
    """
    try:
        return float(text) if text else None
    except ValueError as error:
        raise UsageRefused(
            "a width is a number of mm, a resolution one of dpi", zh="宽度应为毫米数，分辨率应为 dpi 数"
        ) from error


def read_options(fields: Mapping[str, str]) -> ExtractOptions:
    """Return what somebody says of a scan.

    Args:
        fields: `width_mm`, `dpi`, `order`, `owner`, `person`, `code`, `ink`; of single seals `width_mm_1` …

    Raises:
        UsageRefused: a width or a resolution is no number, the order number too long, or the ink unknown.
    """
    single = {}
    for name, text in fields.items():
        number = name.removeprefix("width_mm_")
        if number != name and number.isascii() and number.isdecimal() and len(number) < 4:
            width_mm = read_number(text.strip())
            if width_mm is not None:
                single[int(number) - 1] = width_mm
    order = fields.get("order", "").strip()
    if len(order) > MAX_ORDER_NUMBER_CHARS:
        raise UsageRefused(
            f"an order number has at most {MAX_ORDER_NUMBER_CHARS} characters",
            zh=f"订单号不超过 {MAX_ORDER_NUMBER_CHARS} 个字符",
        )
    return ExtractOptions(
        width_mm=read_number(fields.get("width_mm", "").strip()),
        seal_widths_mm=single,
        dpi=read_number(fields.get("dpi", "").strip()),
        order=order or None,
        ink=_ink(fields.get("ink", "")),
        expected=ExpectedNames(
            _names(fields, "owner"), _names(fields, "person"), fields.get("code", "").strip()[:MAX_WISH_CHARS]
        ),
    )


def _ink(choice: str) -> InkChoice:
    try:
        return InkChoice(choice) if choice else InkChoice.UNIFIED
    except ValueError as error:
        raise UsageRefused("unknown choice of ink; choose one of the list", zh="请选择印章颜色") from error


def _names(fields: Mapping[str, str], key: str) -> tuple[str, ...]:
    name = fields.get(key, "").strip()[:MAX_WISH_CHARS]
    return (name,) if name else ()


def read_wish(fields: dict[str, str]) -> SealWish:
    """Return what somebody wrote about the seal to be made.

    Args:
        fields: `name`, `owner`, `owner_code`, `kind`, `micro_pattern` ("yes"), and `slots`, one a line.

    Raises:
        UsageRefused: name or owner is empty, a field is too long, the kind is unknown, or a slot is
            not of the form it has.
    """
    texts = {key: fields.get(key, "").strip() for key in ("name", "owner", "owner_code", "kind")}
    if not texts["name"] or not texts["owner"]:
        raise UsageRefused(
            "a seal needs a name and an owner; fill in both", zh="请填写印章名称和单位（个人）全称"
        )
    for text in texts.values():
        if len(text) > MAX_WISH_CHARS or not text.isprintable() or "/" in text:
            raise UsageRefused(
                f"a field is longer than {MAX_WISH_CHARS} characters, or holds a slash or control characters",
                zh=f"填写内容不能超过 {MAX_WISH_CHARS} 个字，且不能含斜杠或控制字符",
            )
    try:
        kind = SealKind(texts["kind"])
    except ValueError as error:
        raise UsageRefused("unknown kind of seal; choose one of the list", zh="请选择印章类型") from error
    lines = [line.strip() for line in fields.get("slots", "").splitlines() if line.strip()]
    if len(lines) > MAX_SLOTS or any(len(line) > MAX_WISH_CHARS for line in lines):
        raise UsageRefused(
            f"a seal has at most {MAX_SLOTS} text slots; write one a line",
            zh=f"一枚印章最多 {MAX_SLOTS} 个动态文字栏，每行一个",
        )
    return SealWish(
        texts["name"],
        texts["owner"],
        texts["owner_code"],
        kind,
        micro_pattern=fields.get("micro_pattern") == "yes",
        slots=tuple(read_slot(line) for line in lines),
    )


def _extract(desk: Desk, scan: Path, folder: Path, options: ExtractOptions) -> dict[str, Any]:
    sealine = desk.sealine
    extracted = sealine.seals.extract(scan, folder, actor=sealine.actor, options=options)
    extraction: dict[str, Any] = extraction_json(extracted)
    for kind in ("impressions", "seals"):
        for found in extraction[kind]:
            for picture in ("image", "sources"):
                if found.get(picture):
                    found[picture] = Path(found[picture]).name
    pages = {found.page_index for found in extracted.impressions}
    screen: dict[str, Any] = {
        "scan": str(scan.relative_to(folder)),
        "file": scan.name,
        "order": options.order or "",
        "owner": "".join(options.expected.owners),
        "person": "".join(options.expected.persons),
        "code": options.expected.code,
        "ink": options.ink.value,
        "previews": [asdict(preview) for preview in draw_previews(scan, folder, pages)],
        "extraction": extraction,
        "page_of": {found.index: found.page_index for found in extracted.impressions},
    }
    (folder / _SCREEN).write_text(json.dumps(screen, ensure_ascii=False))
    return screen


def _read_screen(folder: Path) -> dict[str, Any]:
    try:
        screen: dict[str, Any] = json.loads((folder / _SCREEN).read_text())
    except FileNotFoundError as error:
        raise NotFound(
            "nothing was lifted off this scan; send it again", zh="这份扫描件尚未提取，请重新上传"
        ) from error
    return screen


def _saved(desk: Desk, seal_id: str, which: int) -> tuple[Path, Path]:
    sealine = desk.sealine
    check_id(seal_id, "印章")
    folder = desk.new_folder()
    try:
        return sealine.seals.save(seal_id, folder, actor=sealine.actor)[which], folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
