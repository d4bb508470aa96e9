"""Signatures that a file already has, and what they still allow, read off its form."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pikepdf

from stages.documents import DocMDP, ExistingSignature
from stages.pdf.field_lock import FieldLock, LockAction
from stages.pdf.form_fields import MAX_FIELDS, walk_fields
from stages.pdf.signature_words import signer_of

_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:Z|([+-])(\d\d)'?(\d\d)?'?)?", re.ASCII)
_OURS = re.compile(r"Signature[0-9]{1,6}")
_DOCMDP = {1: DocMDP.NO_CHANGES, 2: DocMDP.FILL_AND_SIGN, 3: DocMDP.FILL_SIGN_ANNOTATE}


def existing_signatures(pdf: pikepdf.Pdf) -> tuple[ExistingSignature, ...]:
    """Return every signature in the file's form, and the certification that /Perms names.

    Raises:
        InputRefused: see walk_fields.
    """
    perms = pdf.Root.get("/Perms")
    certification = perms.get("/DocMDP") if isinstance(perms, pikepdf.Dictionary) else None
    found: list[ExistingSignature] = []
    certified = False
    for node in walk_fields(pdf):
        value = node.dictionary.get("/V")
        if node.kind != "/Sig" or not isinstance(value, pikepdf.Dictionary):
            continue
        is_certification = (
            isinstance(certification, pikepdf.Dictionary)
            and certification.is_indirect
            and certification.objgen == value.objgen
        )
        certified = certified or is_certification
        docmdp = docmdp_of(value)
        if is_certification and docmdp is None:
            docmdp = DocMDP.FILL_AND_SIGN  # the default of /P
        lock = node.inherited("/Lock")
        found.append(
            ExistingSignature(
                field_name=node.name,
                docmdp=docmdp or lock_level(lock),
                signed_at=signed_at_of(value),
                locks=tuple(_locks(value, lock)),
                is_timestamp=value.get("/Type") == pikepdf.Name.DocTimeStamp,
                signer=signer_of(value),
            )
        )
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


def lock_level(lock: object) -> DocMDP | None:
    """Return /P of a signature field's lock (ISO 32000-2 Table 236); None when it has none."""
    level = lock.get("/P") if isinstance(lock, pikepdf.Dictionary) else None
    return None if level is None else _DOCMDP.get(level if isinstance(level, int) else 1, DocMDP.NO_CHANGES)


def field_lock(parameters: object) -> FieldLock | None:
    """Return what a lock, or the parameters of a FieldMDP, lock; None when it is no dictionary.

    An action that nobody knows locks everything.
    """
    if not isinstance(parameters, pikepdf.Dictionary):
        return None
    try:
        action = LockAction(str(parameters.get("/Action")).removeprefix("/").lower())
    except ValueError:
        return FieldLock(LockAction.ALL)
    names = parameters.get("/Fields")
    listed = list(names)[:MAX_FIELDS] if isinstance(names, pikepdf.Array) else []
    return FieldLock(action, tuple(str(name) for name in listed if isinstance(name, pikepdf.String)))


def _locks(signature: pikepdf.Object, lock: object) -> Iterator[FieldLock]:
    references = signature.get("/Reference")
    for entry in references if isinstance(references, pikepdf.Array) else ():
        if isinstance(entry, pikepdf.Dictionary) and entry.get("/TransformMethod") == pikepdf.Name.FieldMDP:
            # A FieldMDP without parameters says nothing of what it locks: then it is everything.
            yield field_lock(entry.get("/TransformParams")) or FieldLock(LockAction.ALL)
    own = field_lock(lock)
    if own is not None and "/Action" in lock:  # type: ignore[operator]
        yield own


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
