"""The signatures of a PDF as they stand in the file: every filled field, whatever its encoding."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pikepdf

from stages.crypto.checks import CheckFailed
from stages.errors import InputRefused
from stages.pdf.form_fields import walk_fields

MAX_PDF_BYTES = 2 << 30
MAX_SIGNATURES = 100
MAX_CONTENTS_BYTES = 8 << 20
CHUNK_BYTES = 1 << 20

_PDF_DATE = re.compile(
    r"D:(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:(Z)|([+-])(\d{2})'?(?:(\d{2})'?)?)?"
)


@dataclass(frozen=True)
class SignatureField:
    """One filled signature field.

    Attributes:
        byte_range: as many numbers as the file gives; empty when it is no array of integers.
        contents: the bytes of /Contents, with whatever follows the signature in them.
        claimed_at: /M; None when missing, unreadable or without a time zone.
    """

    field_name: str
    sub_filter: str
    is_document_timestamp: bool
    byte_range: tuple[int, ...]
    contents: bytes = field(repr=False)
    claimed_at: datetime | None

    @property
    def end(self) -> int:
        """Return the offset behind the last signed byte; 0 for a range of no use."""
        return self.byte_range[-2] + self.byte_range[-1] if len(self.byte_range) > 1 else 0


def read_signature_fields(path: Path) -> tuple[SignatureField, ...]:
    """Return every filled signature field, in the order in which they were signed.

    Raises:
        InputRefused: no readable PDF, encrypted, or over a limit.
    """
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise InputRefused(
            f"{path.name}: cannot be opened ({error.strerror})", zh=f"{path.name}：无法打开"
        ) from error
    if size_bytes > MAX_PDF_BYTES:
        raise InputRefused(
            f"{path.name}: {size_bytes} bytes; the limit is {MAX_PDF_BYTES}",
            zh=f"{path.name}：文件过大（{size_bytes} 字节），上限 {MAX_PDF_BYTES} 字节",
        )
    try:
        with pikepdf.open(path, inherit_page_attributes=False, suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                raise _encrypted(path)
            found = tuple(_signature(name, value) for name, value in _filled(pdf))
    except pikepdf.PasswordError as error:
        raise _encrypted(path) from error
    # RuntimeError: qpdf calls some damage so ("/Count is wrong after flattening pages tree").
    except (
        pikepdf.PdfError,
        OSError,
        RuntimeError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
    ) as error:
        raise InputRefused(
            f"{path.name}: not a PDF, or too damaged to be read; get the file again",
            zh=f"{path.name}：不是 PDF，或已损坏无法读取，请重新获取文件",
        ) from error
    return tuple(sorted(found, key=lambda signature: signature.end))


def check_byte_range(path: Path, signature: SignatureField) -> None:
    """Check that the signed bytes are two pieces with exactly /Contents between them.

    Nothing may stand in the gap but the hex string itself: anything else there would be content that
    nobody signed (ISO 32000-2 §12.8.1; the "byte range gap" and "signature wrapping" attacks,
    Mladenov et al., "1 Trillion Dollar Refund", 2019).

    Raises:
        CheckFailed: it is otherwise.
    """
    size_bytes = path.stat().st_size
    numbers = signature.byte_range
    if len(numbers) != 4 or numbers[0] != 0 or any(number < 0 for number in numbers):
        raise _bad_range(
            "does not name the bytes before and behind the signature", zh="未正确给出签名前后的字节范围"
        )
    _, first_length, second_start, second_length = numbers
    if second_start < first_length or second_start + second_length > size_bytes:
        raise _bad_range(
            "reaches beyond the end of the file: bytes were cut off, or the range was changed",
            zh="超出文件末尾：文件被截断，或范围被改动",
        )
    if not 2 <= second_start - first_length <= 2 * MAX_CONTENTS_BYTES + 2:
        raise _bad_range("leaves out more, or less, than a signature", zh="遗漏的字节与签名长度不符")
    with path.open("rb") as file:
        file.seek(first_length)
        gap = file.read(second_start - first_length)
    try:
        between = bytes.fromhex(gap[1:-1].decode("ascii"))
    except ValueError:
        between = None
    if gap[:1] != b"<" or gap[-1:] != b">" or between != signature.contents:
        raise _bad_range(
            "leaves out other bytes than this signature's own /Contents", zh="遗漏的字节不是签名本身"
        )


def digest_signed_bytes(path: Path, signature: SignatureField, digest: str) -> bytes:
    """Return the digest of the signed bytes, read in pieces.

    Args:
        signature: its range has passed `check_byte_range`.
        digest: hashlib's name.
    """
    running = hashlib.new(digest, usedforsecurity=False)
    numbers = signature.byte_range
    with path.open("rb") as file:
        for start, length in zip(numbers[::2], numbers[1::2], strict=True):
            file.seek(start)
            left = length
            while left > 0:
                chunk = file.read(min(left, CHUNK_BYTES))
                if not chunk:
                    raise _bad_range("reaches beyond the end of the file", zh="超出文件末尾")
                running.update(chunk)
                left -= len(chunk)
    return running.digest()


def is_blank_after(path: Path, offset: int) -> bool:
    """Return whether nothing but line ends and blanks follows an offset."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) - offset > CHUNK_BYTES:
            return False
        file.seek(offset)
        return not file.read().strip(b"\r\n \t\x00\x0c")


def _filled(pdf: pikepdf.Pdf) -> Iterator[tuple[str, pikepdf.Object]]:
    signatures = 0
    for node in walk_fields(pdf):
        value = node.dictionary.get("/V")
        if node.kind != "/Sig" or not isinstance(value, pikepdf.Dictionary):
            continue
        signatures += 1
        if signatures > MAX_SIGNATURES:
            raise InputRefused(
                f"more than {MAX_SIGNATURES} signatures in one file",
                zh=f"一个文件中的签名超过 {MAX_SIGNATURES} 个",
            )
        yield node.name, value


def _signature(name: str, value: pikepdf.Object) -> SignatureField:
    numbers = value.get("/ByteRange")
    contents = value.get("/Contents")
    claimed = value.get("/M")
    raw = bytes(contents) if isinstance(contents, pikepdf.String) else b""
    if len(raw) > MAX_CONTENTS_BYTES:
        raise InputRefused(
            f"{name}: a signature of {len(raw)} bytes; the limit is {MAX_CONTENTS_BYTES}",
            zh=f"{name}：签名数据过大（{len(raw)} 字节）",
        )
    return SignatureField(
        field_name=name,
        sub_filter=str(value.get("/SubFilter", "")).removeprefix("/"),
        is_document_timestamp=str(value.get("/Type", "/Sig")) == "/DocTimeStamp",
        byte_range=_integers(numbers),
        contents=raw,
        claimed_at=pdf_date(str(claimed)) if isinstance(claimed, pikepdf.String) else None,
    )


def _integers(numbers: object) -> tuple[int, ...]:
    if not isinstance(numbers, pikepdf.Array) or len(numbers) > 16:
        return ()
    values = list(numbers)
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        return ()
    return tuple(int(value) for value in values)


def pdf_date(text: str) -> datetime | None:
    """Return a PDF date (ISO 32000-2 §7.9.4) in UTC; None when unreadable or without a time zone."""
    match = _PDF_DATE.match(text)
    if match is None or not (match[7] or match[8]):
        return None
    year, month, day, hour, minute, second = (
        int(match[index] or default) for index, default in ((1, 0), (2, 1), (3, 1), (4, 0), (5, 0), (6, 0))
    )
    offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0))
    try:
        zone = timezone(-offset if match[8] == "-" else offset)
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _encrypted(path: Path) -> InputRefused:
    return InputRefused(
        f"{path.name}: encrypted; remove its password protection or ask for the file without it",
        zh=f"{path.name}：文件已加密，请解除密码保护后再试",
    )


def _bad_range(what: str, *, zh: str) -> CheckFailed:
    return CheckFailed(
        "byte-range", "FORMAT_FAILURE", f"the signature's ByteRange {what}", zh=f"签名的 ByteRange {zh}"
    )
