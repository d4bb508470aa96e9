"""A PDF opened to be appended to: where its cross-reference lies, and what the next section must repeat."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pikepdf
from pikepdf.settings import set_qpdf_limits

from stages.errors import Damaged, Encrypted, InputRefused
from stages.pdf.awaited import awaited_numbers
from stages.pdf.permissions import forbidden_words, permissions_of
from stages.pdf.sections import read_chain
from stages.pdf.syntax import ObjGen

MAX_FILE_BYTES = 1 << 30
"""A signed file of 1 GiB is the largest anybody asked for; offsets in a table end at 10^10."""
MAX_TAIL_BYTES = 64 * 1024
"""How far from the end the last `startxref` may stand."""
MAX_HEADER_BYTES = 1024
MAX_OBJECT_NUMBER = 8_388_607
"""ISO 32000-2 Annex C.2: readers need not go further."""
MAX_INFLATED_BYTES = 256 << 20
"""Of a packed stream that must be read to read the file: its objects, its cross-reference."""

_LAST_STARTXREF = re.compile(rb"startxref\s+(\d{1,19})")
_OBJECT_AFTER_END = re.compile(rb"\d\s+\d+\s+obj\b")
_STREAM_XREF = re.compile(rb"\s*\d+\s+\d+\s+obj\b")
_HIGHEST = re.compile(r"not one plus the highest object number \((\d{1,10})\)")
_FATAL_WARNINGS = ("reconstruct", "file is damaged", "find startxref")
"""What qpdf says when it had to guess; small slips in a table, which every reader forgives, are not here."""


@dataclass(frozen=True, eq=False)
class BasePdf:
    """What an increment must know of the file it follows.

    Attributes:
        pdf: parsed, for reading only; never saved.
        startxref: offset of the last cross-reference section, in bytes.
        xref_is_stream: the increment must be of the same kind (ISO 32000-2 §7.5.8.4).
        is_hybrid: the last section is classic and the chain hybrid (`sections.Chain`).
        revisions: see `sections.Chain`.
        next_number: the first object number that is free.
        info: the /Info dictionary, None when there is none.
        first_id: the permanent half of /ID, None when the file has none (§14.4).
        ends_with_newline: whether the last byte ends a line.
        slips: what qpdf had to forgive so far, in its words without the path.
    """

    path: Path
    name: str
    pdf: pikepdf.Pdf
    size_bytes: int
    startxref: int
    xref_is_stream: bool
    is_hybrid: bool
    revisions: int
    next_number: int
    root: ObjGen
    info: ObjGen | None
    first_id: bytes | None
    ends_with_newline: bool
    slips: list[str]

    @cached_property
    def awaited(self) -> frozenset[int]:
        """Numbers from next_number on that something refers to, though no object has them.

        All bytes are read for it: only who appends asks.
        """
        return awaited_numbers(self.pdf, self.path, first=self.next_number)

    def check_unrepaired(self) -> None:
        """Check that all that was read so far stood where the file said; what was forgiven goes to slips.

        Objects are read when they are first asked for: call this after reading, before believing.

        Raises:
            InputRefused: pikepdf had to search for an object.
        """
        self.slips.extend(_check_unrepaired(self.path, self.name, self.pdf))


def _refuse(name: str, what: str, zh: str) -> InputRefused:
    return InputRefused(f"{name}: {what}", zh=f"{name}：{zh}")


def _damaged(name: str, what: str, zh: str) -> Damaged:
    return Damaged(
        f"{name}: the PDF is damaged or cut off ({what}); export or download it again, "
        "or have a sound copy made of it (--repair)",
        zh=f"{name}：PDF 损坏或不完整（{zh}），请重新导出或重新下载，或使用 --repair 修复",
    )


def _encrypted(name: str, pdf: pikepdf.Pdf) -> Encrypted:
    """Return the refusal of a file that opens without a password, with what its author forbids."""
    said, said_zh = forbidden_words(permissions_of(pdf))
    return Encrypted(
        f"{name}: the PDF is encrypted, opens without a password and {said}; ask its author for an open "
        "copy, or, where you may, have one made (--decrypt)",
        zh=f"{name}：PDF 已加密，无需密码即可打开，权限设置：{said_zh}；请向作者索取未加密版本，"
        "或在有权处理时使用 --decrypt 生成未加密副本",
    )


def _read_ends(path: Path, name: str) -> tuple[int, bytes]:
    """Return size and last bytes of a file that says it is a PDF."""
    try:
        size = path.stat().st_size
        if size == 0:
            raise _refuse(
                name, "the file is empty (0 bytes); hand it in again", "文件为空（0 字节），请重新提交"
            )
        if size > MAX_FILE_BYTES:
            raise _refuse(
                name,
                f"{size} bytes, more than the limit of {MAX_FILE_BYTES}; split the file",
                f"文件大小 {size} 字节，超过上限 {MAX_FILE_BYTES} 字节，请拆分",
            )
        with path.open("rb") as file:
            head = file.read(MAX_HEADER_BYTES)
            file.seek(max(0, size - MAX_TAIL_BYTES))
            tail = file.read()
    except OSError as error:
        raise _refuse(name, f"cannot be read ({error.strerror})", f"无法读取（{error.strerror}）") from error
    if not head.startswith(b"%PDF-"):
        where = head.find(b"%PDF-")
        if where < 0:
            raise _refuse(
                name, "not a PDF; export it as PDF and hand that in", "不是 PDF 文件，请导出为 PDF 后提交"
            )
        raise _damaged(name, f"{where} bytes stand before %PDF-", f"%PDF- 之前有 {where} 个多余字节")
    return size, tail


def _last_startxref(name: str, tail: bytes, size: int) -> int:
    """Return the offset that the file's last `startxref` gives.

    Raises:
        InputRefused: there is none, it lies outside of the file, or an unfinished revision follows it.
    """
    matches = list(_LAST_STARTXREF.finditer(tail))
    if not matches:
        raise _damaged(name, "its end is missing: no startxref", "缺少文件尾 startxref")
    if _OBJECT_AFTER_END.search(tail, matches[-1].end()):
        raise _damaged(name, "it ends in the middle of a revision", "文件在一次修订中途结束")
    offset = int(matches[-1].group(1))
    if not 0 < offset < size:
        raise _damaged(name, "startxref points outside of the file", "startxref 指向文件之外")
    return offset


def _is_stream_section(path: Path, name: str, offset: int) -> bool:
    with path.open("rb") as file:
        file.seek(offset)
        start = file.read(64)
    if start.lstrip()[:4] == b"xref":
        return False
    if _STREAM_XREF.match(start):
        return True
    raise _damaged(name, "startxref does not point at a cross-reference", "startxref 未指向交叉引用表")


def _next_number(pdf: pikepdf.Pdf, warnings: list[str]) -> int:
    """Return the first object number that nothing in the file has, whatever its /Size says.

    Programs that cut a file down leave a /Size too low: a new object would take the place of an old one.
    """
    declared = pdf.trailer.get("/Size", 0)
    numbers = [int(declared) if isinstance(declared, int) else 0, len(pdf.objects) + 1]
    numbers.append(pdf.make_indirect(pikepdf.Dictionary()).objgen[0])  # in memory only
    numbers += [int(found.group(1)) + 1 for text in warnings if (found := _HIGHEST.search(text))]
    return max(numbers)


def _check_unrepaired(path: Path, name: str, pdf: pikepdf.Pdf) -> list[str]:
    """Return what qpdf warned of, without the path, which may hold any word."""
    texts = [str(one).replace(str(path), "").lstrip(": ") for one in pdf.get_warnings()]  # empties the list
    for one in texts:
        text = one.lower()
        if any(sign in text for sign in _FATAL_WARNINGS):
            raise _damaged(name, "its cross-reference does not fit its objects", "交叉引用与对象不符")
    return texts


def _check_whole(path: Path, name: str, pdf: pikepdf.Pdf) -> list[str]:
    """Refuse what pikepdf could only open by guessing, and return what it warned of.

    Raises:
        Encrypted: it is.
        Damaged: reconstructed, or without catalogue.
        InputRefused: without pages.
    """
    if pdf.is_encrypted:
        raise _encrypted(name, pdf)
    warnings = _check_unrepaired(path, name, pdf)
    if "/Root" not in pdf.trailer or not isinstance(pdf.trailer.Root, pikepdf.Dictionary):
        raise _damaged(name, "it has no catalogue", "缺少文档目录")
    if not pdf.trailer.Root.is_indirect or "/Pages" not in pdf.trailer.Root:
        raise _refuse(name, "the PDF has no pages; export it again", "PDF 没有页面，请重新导出")
    return warnings


@contextmanager
def refusals_named(name: str) -> Iterator[None]:
    """Put a file's name before the message of every InputRefused that does not begin with it."""
    try:
        yield
    except InputRefused as error:
        if str(error).startswith(name):
            raise
        raise type(error)(f"{name}: {error}", zh=f"{name}：{error.zh}") from error


@cache
def limit_reader() -> None:
    """Limit what qpdf may take for any file, once for this process: a small file can inflate to gigabytes."""
    # Not doc_max_warnings: with it, qpdf walks and mends the tree of pages while it opens a file.
    set_qpdf_limits(
        flate_max_memory=MAX_INFLATED_BYTES,
        png_max_memory=MAX_INFLATED_BYTES,
        tiff_max_memory=MAX_INFLATED_BYTES,
        run_length_max_memory=MAX_INFLATED_BYTES,
    )


@contextmanager
def open_base(path: Path, *, name: str = "") -> Iterator[BasePdf]:
    """Open a PDF for reading and for being appended to.

    Args:
        name: what messages call the file; the path's last part when empty.

    Raises:
        Damaged: a sound copy may be made of it; also raised by what is read of it inside of the `with`.
        Encrypted: encrypted, and opened without a password.
        InputRefused: not a PDF, empty, over MAX_FILE_BYTES, without pages, or needing a password or a
            certificate.
    """
    limit_reader()
    name = name or path.name
    size, tail = _read_ends(path, name)
    startxref = _last_startxref(name, tail, size)
    is_stream = _is_stream_section(path, name, startxref)
    try:
        # pikepdf would copy inherited attributes into the pages: files signed before would then differ.
        pdf = pikepdf.open(path, suppress_warnings=True, inherit_page_attributes=False)
    except pikepdf.PasswordError as error:
        raise _refuse(
            name,
            "the PDF is encrypted and needs a password; remove the password, then hand it in again",
            "PDF 需要密码才能打开，请去除密码后重新提交",
        ) from error
    except (pikepdf.PdfError, RuntimeError, UnicodeDecodeError) as error:  # QpdfRuntimeError is no PdfError
        if "unable to find page tree" in str(error):
            raise _refuse(
                name, "the PDF has no pages; export it again", "PDF 没有页面，请重新导出"
            ) from error
        if "ncryption" in str(error).replace(str(path), ""):
            raise _refuse(
                name,
                "the PDF is encrypted for certain certificates or by a method of its own; ask its author for "
                "an open copy",
                "PDF 采用证书加密或不支持的加密方式，请向作者索取未加密版本",
            ) from error
        raise _damaged(name, "no PDF reader could follow it", "无法解析") from error
    with pdf:
        warnings = _check_whole(path, name, pdf)
        trailer = pdf.trailer
        next_number = _next_number(pdf, warnings)
        if next_number > MAX_OBJECT_NUMBER:
            raise _refuse(
                name,
                f"{next_number} objects, more than the limit of {MAX_OBJECT_NUMBER}; split the file",
                f"对象数 {next_number} 超过上限 {MAX_OBJECT_NUMBER}，请拆分",
            )
        info = trailer.get("/Info")
        ids = trailer.get("/ID")
        has_id = isinstance(ids, pikepdf.Array) and len(ids) == 2 and isinstance(ids[0], pikepdf.String)
        chain = read_chain(path, startxref, size)
        base = BasePdf(
            path=path,
            name=name,
            pdf=pdf,
            size_bytes=size,
            startxref=startxref,
            xref_is_stream=is_stream,
            is_hybrid=chain.is_hybrid and not is_stream,
            revisions=chain.revisions,
            next_number=next_number,
            root=trailer.Root.objgen,
            info=info.objgen if isinstance(info, pikepdf.Object) and info.is_indirect else None,
            first_id=bytes(ids[0]) if ids is not None and has_id else None,
            ends_with_newline=tail[-1:] in (b"\n", b"\r"),
            slips=warnings,
        )
        try:
            yield base
        except (pikepdf.PdfError, UnicodeDecodeError) as error:
            # Objects are read when they are asked for, and what qpdf says of them need not be UTF-8.
            raise _damaged(name, "an object of it cannot be read", "有对象无法读取") from error
