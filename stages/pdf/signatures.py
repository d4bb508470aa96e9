"""Signatures that a file already has, and what they still allow, read off its form."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pikepdf

from stages.documents import DocMDP, ExistingSignature
from stages.errors import InputRefused

MAX_FIELDS = 100_000
MAX_FIELD_DEPTH = 64

_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:Z|([+-])(\d\d)'?(\d\d)?'?)?", re.ASCII)
_OURS = re.compile(r"Signature[0-9]{1,6}")
_DOCMDP = {1: DocMDP.NO_CHANGES, 2: DocMDP.FILL_AND_SIGN, 3: DocMDP.FILL_SIGN_ANNOTATE}


def existing_signatures(pdf: pikepdf.Pdf) -> tuple[ExistingSignature, ...]:
    """Return every signature in the file's form, and the certification that /Perms names.

    Raises:
        InputRefused: more than MAX_FIELDS.
    """
    root = pdf.Root
    perms = root.get("/Perms")
    certification = perms.get("/DocMDP") if isinstance(perms, pikepdf.Dictionary) else None
    found: list[ExistingSignature] = []
    certified = False
    for name, value in _signature_fields(root):
        is_certification = (
            isinstance(certification, pikepdf.Dictionary)
            and certification.is_indirect
            and certification.objgen == value.objgen
        )
        certified = certified or is_certification
        docmdp = docmdp_of(value)
        if is_certification and docmdp is None:
            docmdp = DocMDP.FILL_AND_SIGN  # the default of /P
        found.append(ExistingSignature(name, docmdp, signed_at_of(value), _locks_new_fields(value)))
    if isinstance(certification, pikepdf.Dictionary) and not certified:
        docmdp = docmdp_of(certification) or DocMDP.FILL_AND_SIGN
        found.append(ExistingSignature("/Perms/DocMDP", docmdp, signed_at_of(certification)))
    return tuple(found)


def taken_names(pdf: pikepdf.Pdf) -> tuple[str, ...]:
    """Return the names of top-level form fields, filled or not, that look like ours (Signature1)."""
    form = pdf.Root.get("/AcroForm")
    fields = form.get("/Fields") if isinstance(form, pikepdf.Dictionary) else None
    if not isinstance(fields, pikepdf.Array):
        return ()
    names = (str(field.get("/T", "")) for field in fields if isinstance(field, pikepdf.Dictionary))
    return tuple(sorted({name for name in names if _OURS.fullmatch(name)}))


def _signature_fields(root: pikepdf.Object) -> Iterator[tuple[str, pikepdf.Object]]:
    """Yield the full name and the value of every signature field that has one."""
    form = root.get("/AcroForm")
    fields = form.get("/Fields") if isinstance(form, pikepdf.Dictionary) else None
    if not isinstance(fields, pikepdf.Array):
        return
    queue: list[tuple[pikepdf.Object, str, pikepdf.Object | None, int]]
    queue = [(field, "", None, 0) for field in reversed(list(fields))]
    count = 0
    while queue:
        field, above, kind_above, depth = queue.pop()
        count += 1
        if count > MAX_FIELDS or depth > MAX_FIELD_DEPTH:
            raise InputRefused(
                f"more than {MAX_FIELDS} form fields, or deeper than {MAX_FIELD_DEPTH}; export it again",
                zh=f"表单域超过 {MAX_FIELDS} 个或嵌套超过 {MAX_FIELD_DEPTH} 层，请重新导出",
            )
        if not isinstance(field, pikepdf.Dictionary):
            continue
        part = field.get("/T")
        name = ".".join(text for text in (above, str(part) if part is not None else "") if text)
        kind = field.get("/FT", kind_above)
        value = field.get("/V")
        if kind == pikepdf.Name.Sig and isinstance(value, pikepdf.Dictionary):
            yield name, value
        kids = field.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            queue.extend((kid, name, kind, depth + 1) for kid in reversed(list(kids)))


def docmdp_of(signature: pikepdf.Object) -> DocMDP | None:
    """Return what a signature dictionary certifies (ISO 32000-2 Table 257); None when it is an approval."""
    references = signature.get("/Reference")
    if not isinstance(references, pikepdf.Array):
        return None
    for entry in references:
        if isinstance(entry, pikepdf.Dictionary) and entry.get("/TransformMethod") == pikepdf.Name.DocMDP:
            parameters = entry.get("/TransformParams")
            level = parameters.get("/P", 2) if isinstance(parameters, pikepdf.Dictionary) else 2
            # A level that nobody knows is read as the strictest.
            return _DOCMDP.get(level if isinstance(level, int) else 1, DocMDP.NO_CHANGES)
    return None


def _locks_new_fields(signature: pikepdf.Object) -> bool:
    references = signature.get("/Reference")
    for entry in references if isinstance(references, pikepdf.Array) else ():
        if isinstance(entry, pikepdf.Dictionary) and entry.get("/TransformMethod") == pikepdf.Name.FieldMDP:
            parameters = entry.get("/TransformParams")
            action = parameters.get("/Action") if isinstance(parameters, pikepdf.Dictionary) else None
            if action != pikepdf.Name.Include:
                return True
    return False


def signed_at_of(signature: pikepdf.Object) -> datetime | None:
    """Return what a signature's /M says (§7.9.4), in UTC; None when it says nothing that can be read."""
    value = signature.get("/M")
    match = _DATE.match(str(value)) if isinstance(value, pikepdf.String) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, sign, offset_h, offset_min = match.groups()
    try:
        local = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=UTC,
        )
        offset = timedelta(hours=int(offset_h or 0), minutes=int(offset_min or 0))
        return local - offset if sign == "+" else local + offset
    except (ValueError, OverflowError):
        return None
