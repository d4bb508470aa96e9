"""Receives a form with files: every file goes straight to a folder, piece by piece, within named limits."""

import errno
import json
import shutil
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from pipeline.errors import UsageRefused
from stages.errors import InputRefused

if TYPE_CHECKING:  # exists for type checkers only
    from python_multipart.multipart import MultipartCallbacks

MAX_UPLOAD_BYTES = 1024 * 1024 * 1024
"""Of one form, with everything in it; a larger package goes in by `sealine bid sign`."""
MIN_FREE_BYTES = 64 * 1024 * 1024
"""Room that an upload leaves on the disk, for records and logs."""
FREE_CHECK_BYTES = 16 * 1024 * 1024
"""Others fill the disk too, and a body need not say its length: room is looked for again after so much."""
MAX_FIELD_BYTES = 256 * 1024
MAX_PARTS = 32
MAX_NAME_BYTES = 120


@dataclass
class ReceivedForm:
    """What somebody sent.

    Attributes:
        fields: text by field name.
        files: where each file that was chosen lies, by field name.
    """

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a text field without surrounding space; empty when absent."""
        return self.fields.get(name, "").strip()

    def file(self, name: str, zh: str) -> Path:
        """Return where a file lies.

        Raises:
            UsageRefused: none was chosen.
        """
        if name not in self.files:
            raise UsageRefused(
                f"no file in the field {name!r}; choose one and send again", zh=f"请先选择{zh}"
            )
        return self.files[name]


async def receive_form(
    request: Request, folder: Path | None, *, max_bytes: int = MAX_UPLOAD_BYTES
) -> ReceivedForm:
    """Read a multipart form; no file is ever whole in memory.

    Args:
        folder: where files go; exists and is empty; what it holds after an error is the caller's to delete.
            None for a form of texts: a file in it is refused.

    Raises:
        InputRefused: more than max_bytes, or a text over MAX_FIELD_BYTES.
        UsageRefused: not a multipart form, cut off, over MAX_PARTS parts, or with a file unasked for.
        OSError: the disk has no room for it (ENOSPC), once as it comes and once unpacked.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise _malformed("the body is not multipart/form-data")
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdecimal() and int(stated) > max_bytes:
        raise _too_large(max_bytes)
    check_room(folder, 2 * int(stated) if stated.isascii() and stated.isdecimal() else 0)
    parts, looked_at = _Parts(folder), 0
    try:
        parser = MultipartParser(boundary, parts.callbacks())
        received = 0
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise _too_large(max_bytes)
            if received - looked_at >= FREE_CHECK_BYTES:
                looked_at = received
                check_room(folder, 0)
            await run_in_threadpool(parser.write, chunk)
        await run_in_threadpool(parser.finalize)
    except FormParserError as error:
        raise _malformed("the multipart body is damaged") from error
    except ClientDisconnect as error:
        raise _malformed("the upload was cut off") from error
    finally:
        parts.close()
    if not parts.ended:
        raise _malformed("the upload was cut off")
    return parts.form


def check_room(folder: Path | None, size_bytes: int) -> None:
    """Check that a folder's disk has room for something, and MIN_FREE_BYTES are left then.

    Raises:
        OSError: it has not (ENOSPC).
    """
    if folder is None:
        return
    free = shutil.disk_usage(folder).free
    if free < size_bytes + MIN_FREE_BYTES:
        needs = (size_bytes + MIN_FREE_BYTES) / 1024**2
        raise OSError(
            errno.ENOSPC,
            f"{free / 1024**2:.0f} MiB are free, {needs:.0f} are needed for this upload; make room",
        )


async def receive_json(request: Request, *, max_bytes: int = MAX_FIELD_BYTES) -> Mapping[str, Any]:
    """Return the JSON object somebody sent as the whole body.

    Raises:
        InputRefused: over max_bytes.
        UsageRefused: not a JSON object, or cut off.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise InputRefused(
                    f"the JSON is longer than {max_bytes} bytes; shorten it",
                    zh=f"JSON 内容超过 {max_bytes // 1024} KB 上限，请缩短",
                )
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UsageRefused(
            "the body is no JSON; send an object in UTF-8", zh="请求内容不是有效的 JSON，请更正后重新提交"
        ) from error
    except ClientDisconnect as error:
        raise _malformed("the upload was cut off") from error
    if not isinstance(document, dict):
        raise UsageRefused(
            "the body is JSON but no object; send {…}", zh="请求内容须为 JSON 对象，请更正后重新提交"
        )
    return document


def is_json(request: Request) -> bool:
    """Return whether the body is said to be JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def safe_name(name: str) -> str:
    """Return the last part of a file's name, fit to be a file's name here: no path, no control characters."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(char for char in last if char.isprintable()).strip()
    shown = "_" + shown if shown.startswith(".") else shown
    stem, dot, suffix = shown.rpartition(".")
    if not dot or not suffix or len(suffix) > 8:
        stem, suffix = shown, ""
    stem = stem.encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip()
    return (f"{stem}.{suffix}" if suffix else stem) or "upload"


def _too_large(max_bytes: int) -> InputRefused:
    megabytes = max_bytes / 1024**2
    return InputRefused(
        f"the upload is larger than {megabytes:.0f} MiB; give it to the command line instead, or split it",
        zh=f"上传内容超过 {megabytes:.0f} MB 上限，请改用命令行，或拆分后再传",
    )


def _malformed(what: str) -> UsageRefused:
    return UsageRefused(f"{what}; send the form again", zh="表单数据不完整或格式有误，请重新提交")


class _Parts:
    """Takes the parser's callbacks, one part after another."""

    def __init__(self, folder: Path | None) -> None:
        self.form = ReceivedForm()
        self.ended = False
        self._folder = folder
        self._file: BinaryIO | None = None
        self._text = bytearray()
        self._count = 0

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self._count += 1
        if self._count > MAX_PARTS:
            raise _malformed(f"more than {MAX_PARTS} parts")
        self._headers: dict[bytes, bytes] = {}
        self._field = self._value = b""
        self._name = ""
        self._text = bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._field.lower()] = self._value
        self._field = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if b"name" not in options:
            raise _malformed("a part has no name")
        self._name = options[b"name"].decode(errors="replace")
        filename = options.get(b"filename", b"").decode(errors="replace")
        if not filename:
            return  # a text, or a file nobody chose
        if self._folder is None or self._name in self.form.files:
            raise _malformed(f"a file too many in the field {self._name!r}")
        path = self._folder / f"{len(self.form.files)}" / safe_name(filename)
        path.parent.mkdir(mode=0o700)
        self._file = path.open("xb")
        self.form.files[self._name] = path

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
            return
        self._text += data[start:end]
        if len(self._text) > MAX_FIELD_BYTES:
            raise InputRefused(
                f"the field {self._name!r} is longer than {MAX_FIELD_BYTES} bytes; shorten it",
                zh=f"文本内容超过 {MAX_FIELD_BYTES // 1024} KB 上限，请缩短",
            )

    def _end_part(self) -> None:
        if self._file is None:
            self.form.fields[self._name] = self._text.decode(errors="replace")
        self.close()

    def _end(self) -> None:
        self.ended = True
