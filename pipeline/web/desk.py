"""What every screen works at: the services, the templates, a folder for what is shown, one way to answer."""

import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
from fastapi import Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException

from pipeline.clock import utc_now
from pipeline.failures import ExitCode, error_json, failure_of, message_zh
from pipeline.web import wording
from pipeline.wiring import App
from storage.errors import NotFound

HERE = Path(__file__).resolve().parent
FOLDER_PREFIX = "web-"
MAX_FOLDER_AGE_S = 24 * 3600.0
"""What was lifted off a scan and not made into a seal is kept this long."""
MAX_HEAVY_ACTS = 2
"""Scans and packages worked on at one time; the others wait their turn."""
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_FOLDER_ID = re.compile(r"[0-9a-f]{32}")


def _templates() -> Jinja2Templates:
    templates = Jinja2Templates(directory=HERE / "templates")
    templates.env.trim_blocks = templates.env.lstrip_blocks = True
    templates.env.globals["w"] = wording
    templates.env.filters.update(
        zh_time=wording.time_zh, megabytes=wording.megabytes, percent=wording.percent, size=wording.size_mm
    )
    return templates


@dataclass
class Desk:
    """Everything a route needs."""

    sealine: App
    templates: Jinja2Templates = field(default_factory=_templates)

    def __post_init__(self) -> None:
        self.heavy = anyio.Semaphore(MAX_HEAVY_ACTS)

    def new_folder(self) -> Path:
        """Return a new folder of our own in the home's scratch, its id unguessable."""
        scratch = self.sealine.settings.scratch_folder
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.sweep_folders()
        folder = scratch / f"{FOLDER_PREFIX}{secrets.token_hex(16)}"
        folder.mkdir(mode=0o700)
        return folder

    def folder(self, folder_id: str) -> Path:
        """Return a folder made before.

        Raises:
            NotFound: the id is none of ours, or too old.
        """
        folder = self.sealine.settings.scratch_folder / f"{FOLDER_PREFIX}{folder_id}"
        if not _FOLDER_ID.fullmatch(folder_id) or not folder.is_dir():
            raise NotFound(
                "there is no such upload, or it was signed, discarded or cleaned up; what was signed stands "
                "under the bids, else send the file again",
                zh="没有这次上传的内容：可能已签章、已放弃，或过期被清理；已签章的见“签章”页，否则请重新上传",
            )
        return folder

    def sweep_folders(self) -> None:
        """Delete folders of ours that nobody touched for MAX_FOLDER_AGE_S."""
        now = utc_now().timestamp()
        for folder in self.sealine.settings.scratch_folder.glob(f"{FOLDER_PREFIX}*"):
            try:
                if now - folder.stat().st_mtime > MAX_FOLDER_AGE_S:
                    shutil.rmtree(folder, ignore_errors=True)
            except FileNotFoundError:
                continue

    def page(self, request: Request, template: str, **context: Any) -> Response:
        """Return a page."""
        return self.templates.TemplateResponse(request, template, context)

    def go(self, request: Request, path: str) -> Response:
        """Send the browser on to another page after something was done."""
        if is_htmx(request):
            return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": path})
        return RedirectResponse(path, status_code=HTTPStatus.SEE_OTHER)

    def fault(self, request: Request, error: Exception) -> Response:
        """Return what went wrong: a line inside the page, a page, or JSON, as whoever asked reads it."""
        status, document = _describe(error)
        if wants_json(request):
            return JSONResponse({"error": document}, status)
        context = {"error": document, "status": status}
        if is_htmx(request):
            headers = {"HX-Retarget": "#message", "HX-Reswap": "innerHTML show:#message:top"}
            return self.templates.TemplateResponse(request, "_error.html", context, status, headers)
        return self.templates.TemplateResponse(request, "error.html", context, status)


def check_id(value: str, zh: str) -> str:
    """Return an id that may be looked up.

    Raises:
        NotFound: it has not the form of an id.
    """
    if not ID.fullmatch(value):
        raise NotFound("not an id", zh=f"没有这个{zh}")
    return value


def is_htmx(request: Request) -> bool:
    """Return whether a part of a page is asked for, rather than a page."""
    return request.headers.get("hx-request") == "true"


def wants_json(request: Request) -> bool:
    """Return whether a program asks: it wants JSON, or sends it."""
    sent = request.headers.get("content-type", "").startswith("application/json")
    return sent or "application/json" in request.headers.get("accept", "")


def _describe(error: Exception) -> tuple[int, Mapping[str, Any]]:
    if isinstance(error, HTTPException):
        known = error.status_code == HTTPStatus.NOT_FOUND
        code = ExitCode.NOT_FOUND if known else ExitCode.USAGE
        zh = "没有这个页面" if known else "请求方式不对"
        document = {"code": int(code), "name": code.name, "message": error.detail, "message_zh": zh}
        return error.status_code, document | {"kind_zh": zh}
    failure = failure_of(error)
    if failure.exit_code is ExitCode.UNEXPECTED:
        zh = "程序内部错误，已写入日志；请把发生的时间告诉维护人员"
        document = {"code": 1, "name": "UNEXPECTED", "message": "a bug; see the log", "message_zh": zh}
        return failure.http_status, document | {"kind_zh": failure.zh}
    fact = {"message_zh": message_zh(error), "kind_zh": failure.zh}
    return failure.http_status, {**error_json(error), **fact}
