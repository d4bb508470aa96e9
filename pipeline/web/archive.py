"""The screens of the archive: a document is found, its lamps are seen, what is kept is taken out."""

import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.background import BackgroundTask

from pipeline.web.desk import Desk, check_id, wants_json
from storage.errors import NotFound

MAX_FOUND = 100
MAX_TEXT_CHARS = 200
KEPT = ("original", "signed", "verdict", "manifest", "evidence", "void", "void_signature")


def archive_routes(desk: Desk) -> APIRouter:
    """Return the routes of the archive."""
    sealine = desk.sealine
    router = APIRouter(prefix="/archive")

    @router.get("")
    def search(request: Request) -> Response:
        """Show what is found; everything, newest first, when nothing is asked for."""
        asked = {
            name: request.query_params.get(name, "").strip()[:MAX_TEXT_CHARS]
            for name in ("text", "project", "bidder")
        }
        found = sealine.archive.find(
            asked["text"],
            project=asked["project"],
            bidder=asked["bidder"],
            limit=MAX_FOUND,
            actor=sealine.actor,
        )
        if wants_json(request):
            return JSONResponse({"archives": found})
        return desk.page(request, "archive.html", found=found, asked=asked, limit=MAX_FOUND)

    @router.get("/{archive_id}")
    def show(request: Request, archive_id: str) -> Response:
        """Show one document; its verdict follows by itself."""
        return desk.page(request, "document.html", entry=_entry(desk, archive_id))

    @router.get("/{archive_id}/verdict")
    async def verdict(request: Request, archive_id: str) -> Response:
        """Prove a document again, now, and show what came out."""
        check_id(archive_id, "档案")
        async with desk.heavy:
            proved = await anyio.to_thread.run_sync(
                partial(sealine.archive.verify, archive_id, actor=sealine.actor)
            )
        if wants_json(request):
            return JSONResponse(proved)
        return desk.page(request, "_verdict.html", archive_id=archive_id, verdict=proved)

    @router.get("/{archive_id}/kept/{kept}")
    def take_out(archive_id: str, kept: str) -> Response:
        """Return one of the things kept of a document."""
        check_id(archive_id, "档案")
        if kept not in KEPT:
            raise NotFound(
                f"kept are {', '.join(KEPT)}; ask for one of them",
                zh="档案中没有这一项，请从页面上的链接下载",
            )
        folder = desk.new_folder()
        try:
            path = Path(_taken_out(sealine.archive.get(archive_id, folder, actor=sealine.actor), kept))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return FileResponse(path, filename=path.name, background=BackgroundTask(shutil.rmtree, folder))

    return router


def _taken_out(paths: Mapping[str, str], kept: str) -> str:
    if kept not in paths:
        raise NotFound(f"this document has no {kept}", zh="这份档案没有这一项")
    return paths[kept]


def _entry(desk: Desk, archive_id: str) -> dict[str, Any]:
    check_id(archive_id, "档案")
    return desk.sealine.archive.show(archive_id, actor=desk.sealine.actor)
