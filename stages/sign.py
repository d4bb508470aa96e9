"""The PAdES signature over a stamped document, appended to it as one increment."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

import pikepdf

from stages.authorities import Signer
from stages.crypto.cms import cms_room_bytes, make_cms
from stages.documents import SignatureRequest, SignedDocument, StampedDocument
from stages.errors import Indeterminate, InputRefused, SigningRefused
from stages.pdf.form_fields import rectangle_of, walk_fields
from stages.pdf.geometry import page_geometry
from stages.pdf.increment import Increment, append_increment, open_base, reference, value_token
from stages.pdf.seed_values import check_seed_values
from stages.pdf.signature_fields import check_byte_range, read_signature_fields
from stages.pdf.stamp_annotations import LOCKED, PRINT, add_annotations, shared_arrays
from stages.pdf.structure import page_at, walk_pages
from stages.pdf.syntax import ObjGen, numbers
from stages.pdf.target_field import (
    TargetField,
    add_field,
    change_form,
    fill_target,
    find_target,
    flag_changes,
    lock_reference,
)
from stages.pdf.widget import place_widget, put_widget_appearance

HASH_BUFFER_BYTES = 1 << 20
MAX_TEXT_CHARACTERS = 512
"""Of a field name, a reason, a location."""

_BYTE_RANGE_BYTES = len(b"[0 %10d %10d %10d]" % (0, 0, 0))


@dataclass(frozen=True)
class _Placeholder:
    """A signature dictionary before it is filled: its text, and where its two blanks lie in it."""

    body: bytes = field(repr=False)
    byte_range_at: int
    contents_at: int
    contents_bytes: int


def sign(stamped: StampedDocument, signer: Signer, request: SignatureRequest) -> SignedDocument:
    """Append a PAdES B-B signature to a document, in place, with room for its timestamp.

    The bytes are a pure function of document, key and request: a second run over the same document
    writes the same (with RSA PKCS#1 v1.5, or ECDSA by RFC 6979). The file is read once, in pieces.

    Raises:
        SigningRefused: the field name is taken or unusable, the field that is to be filled is not there, is
            signed, or asks for what this signature is not (see check_seed_values), or the key refuses.
        InputRefused: the file cannot be appended to, or has no such page.

    Source: ISO 32000-2 §12.8, ETSI EN 319 142-1 §5.
    """
    check_request(request, fills_field=stamped.field_name is not None)
    with open_base(stamped.path) as base:
        increment = Increment(base)
        if stamped.field_name is None:
            check_field_name_free(base.pdf, request.field_name)
            placeholder = _placeholder(request, cms_room_bytes(signer))
            signature = increment.add(placeholder.body)
            _put_new_field(increment, base.pdf, stamped, request.field_name, signature)
        else:
            target = find_target(base.pdf, stamped.field_name)
            check_seed_values(target.seed_values, signer, request, field_name=stamped.field_name)
            locked = lock_reference(base.pdf, target.lock)
            placeholder = _placeholder(request, cms_room_bytes(signer), more=locked)
            signature = increment.add(placeholder.body)
            _fill_field(increment, base.pdf, stamped, target, signature)
        rendered = increment.render()
    size_bytes = rendered.base_size_bytes
    data = bytearray(rendered.data)
    body_at = rendered.body_offsets[signature]
    start = body_at + placeholder.contents_at
    end = start + placeholder.contents_bytes
    total = size_bytes + len(data)
    byte_range = b"[0 %10d %10d %10d]" % (start, end, total - end)
    at = body_at + placeholder.byte_range_at - size_bytes
    data[at : at + _BYTE_RANGE_BYTES] = byte_range
    digest = _digest(stamped.path, size_bytes, data, start - size_bytes, end - size_bytes)
    cms = make_cms(signer, digest).hex().encode("ascii")
    if len(cms) > placeholder.contents_bytes - 2:
        raise SigningRefused(
            f"{stamped.path.name}: the signature needs {len(cms) // 2} bytes,"
            f" {placeholder.contents_bytes // 2 - 1} were kept free; report this with the certificate used",
            zh=f"{stamped.path.name}：签名需要 {len(cms) // 2} 字节，超出预留空间，请连同所用证书报告此问题",
        )
    data[start - size_bytes + 1 : start - size_bytes + 1 + len(cms)] = cms
    append_increment(stamped.path, stamped.path, data, base_size_bytes=size_bytes)
    return SignedDocument(
        path=stamped.path,
        base_size_bytes=stamped.base_size_bytes,
        field_name=request.field_name,
        contents_start=start,
        contents_end=end,
    )


def find_signature(path: Path, field_name: str, *, base_size_bytes: int = 0) -> SignedDocument:
    """Return the signature of a field in a file, as `sign` returned it when it was made.

    Args:
        base_size_bytes: how many of its first bytes are the original's; the file itself does not say.

    Raises:
        InputRefused: the file cannot be read as PDF.
        Indeterminate: it has no such signature.
        Untrusted: its byte range leaves out something else than the signature.
    """
    for found in read_signature_fields(path):
        if found.field_name == field_name:
            check_byte_range(path, found)
            return SignedDocument(
                path=path,
                base_size_bytes=base_size_bytes,
                field_name=field_name,
                contents_start=found.byte_range[1],
                contents_end=found.byte_range[2],
            )
    raise Indeterminate(
        f"{path.name}: no signature in field {field_name}; sign the document again from its original",
        zh=f"{path.name}：签名域 {field_name} 中没有签名，请从原件重新签署",
    )


def check_request(request: SignatureRequest, *, fills_field: bool = False) -> None:
    """Check that a request can be written into a signature dictionary.

    Args:
        fills_field: the field is in the form already, so that its full name may have periods.

    Raises:
        SigningRefused: a text is too long, the field name empty or with a period, the time naive.
    """
    for name, zh, text in (
        ("field name", "签名域名称", request.field_name),
        ("reason", "签署原因", request.reason),
        ("location", "签署地点", request.location),
    ):
        if len(text) > MAX_TEXT_CHARACTERS:
            raise SigningRefused(
                f"{name} of {len(text)} characters; shorten it to {MAX_TEXT_CHARACTERS}",
                zh=f"{zh}有 {len(text)} 个字符，请缩短到 {MAX_TEXT_CHARACTERS} 个以内",
            )
    # A period separates the names of nested fields (ISO 32000-2 §12.7.4.2).
    if not request.field_name or ("." in request.field_name and not fills_field):
        raise SigningRefused(
            "field name is empty or contains a period; choose another",
            zh="签名域名称为空或含有句点，请换一个名称",
        )
    if request.signed_at.utcoffset() is None:
        raise SigningRefused(
            "signing time has no time zone; give an aware instant", zh="签署时间没有时区，请给出带时区的时间"
        )


def check_field_name_free(pdf: pikepdf.Pdf, field_name: str) -> None:
    """Check that no top-level form field has this name.

    Raises:
        SigningRefused: one has.
        InputRefused: see walk_fields.
    """
    if any(not node.above and node.is_field and node.name == field_name for node in walk_fields(pdf)):
        raise SigningRefused(
            f"there is a form field {field_name} already; sign into another field",
            zh=f"表单域 {field_name} 已存在，请换一个签名域名称",
        )


def _put_new_field(
    increment: Increment, pdf: pikepdf.Pdf, stamped: StampedDocument, name: str, signature: ObjGen
) -> None:
    """Put a field that is its own widget, over the mark it belongs to or showing its marks itself."""
    shown, over = stamped.widget_marks, stamped.widget_mark
    first = shown[0] if shown else over
    page = page_at(pdf, first.page_index if first is not None else 0)
    geometry = stamped.widget_page or page_geometry(page)
    place = place_widget(increment, geometry, over, shown, stamped.widget_faces)
    widget = increment.add(
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T %s /F %d /P %s /V %s %s >>"
        % (_text(name), PRINT | LOCKED, reference(page.objgen), reference(signature), place)
    )
    annotations = page.get("/Annots")
    may_share = isinstance(annotations, pikepdf.Array) and annotations.is_indirect
    shared = shared_arrays(walk_pages(pdf)) if may_share else frozenset[ObjGen]()
    add_annotations(increment, page, [widget], shared)
    add_field(increment, pdf, widget)


def _fill_field(
    increment: Increment,
    pdf: pikepdf.Pdf,
    stamped: StampedDocument,
    target: TargetField,
    signature: ObjGen,
) -> None:
    """Put the signature into an empty field, and its marks into the field's own box."""
    first = stamped.widget_marks[0] if stamped.widget_marks else stamped.widget_mark
    rectangle = rectangle_of(target.widget.get("/Rect")) if target.widget is not None else None
    appearance = None
    if first is not None and rectangle is not None:
        geometry = stamped.widget_page or page_geometry(page_at(pdf, first.page_index))
        appearance = put_widget_appearance(
            increment, geometry, stamped.widget_marks, stamped.widget_faces, numbers(*rectangle)
        )
    fill_target(increment, target, signature, appearance)
    change_form(increment, pdf, flag_changes(pdf))


def _placeholder(request: SignatureRequest, room_bytes: int, *, more: bytes = b"") -> _Placeholder:
    moment = request.signed_at.astimezone(UTC)
    texts = b"".join(
        b"%s %s " % (key, _text(text))
        for key, text in ((b"/Reason", request.reason), (b"/Location", request.location))
        if text
    )
    head = (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
        b" /M (D:%s+00'00') %s%s/ByteRange " % (moment.strftime("%Y%m%d%H%M%S").encode("ascii"), texts, more)
    )
    before_contents = head + b" " * _BYTE_RANGE_BYTES + b" /Contents "
    contents = b"<" + b"00" * room_bytes + b">"
    return _Placeholder(
        body=before_contents + contents + b" >>",
        byte_range_at=len(head),
        contents_at=len(before_contents),
        contents_bytes=len(contents),
    )


def _digest(path: Path, size_bytes: int, data: bytearray, start: int, end: int) -> bytes:
    """Return the SHA-256 of a file's first bytes, then data without data[start:end]."""
    running = hashlib.sha256()
    buffer = memoryview(bytearray(HASH_BUFFER_BYTES))
    left = size_bytes
    with path.open("rb", buffering=0) as file:
        while left and (count := file.readinto(buffer[: min(left, HASH_BUFFER_BYTES)])):
            running.update(buffer[:count])
            left -= count
    if left:
        raise InputRefused(
            f"{path.name}: became shorter while it was signed; start over from the original",
            zh=f"{path.name}：签署过程中文件变短，请从原件重新开始",
        )
    view = memoryview(data)
    running.update(view[:start])
    running.update(view[end:])
    return running.digest()


def _text(text: str) -> bytes:
    """Return a text string: PDFDocEncoding where it can, else UTF-16 (ISO 32000-2 §7.9.2.2)."""
    return value_token(pikepdf.String(text))
