"""What was appended to a PDF after a signature, and whether that was allowed."""

import re
from pathlib import Path

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import (
    DiffResult,
    ModificationLevel,
    SuspiciousModification,
)
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from stages.crypto.checks import CheckFailed, CheckUnknown
from stages.pdf.difference import DIFFERENCE_POLICY
from stages.pdf.signature_fields import SignatureField, is_blank_after

MAX_REVISIONS = 256
MAX_TAIL_BYTES = 1 << 20
"""From the end of the last cross-reference section: its trailer, and whatever else stands there."""

_END = re.compile(rb"startxref\s+\d+\s+%%EOF")
_BLANKS = b"\r\n \t\x00\x0c"


def check_later_revisions(path: Path, signature: SignatureField, *, is_last: bool) -> bool:
    """Check that what follows a signature's revision changed nothing it had signed; return whether
    stamps came, which may lie over what it signed.

    Allowed is what pyHanko's difference analysis allows under the signature's own DocMDP and FieldMDP
    (ISO 32000-2 §12.8.2.2): filling in forms, signing again, validation data; and stamp annotations, unless
    a DocMDP leaves only forms to be filled in. A page's content is not.
    After the last signature nobody answers for a filled-in form any more: only validation data may follow.

    Args:
        signature: its ByteRange is sound, but ends before the file does.
        is_last: no other signature of the file covers more, document timestamps aside.

    Raises:
        CheckFailed: something was changed, or bytes stand there that belong to no revision.
        CheckUnknown: the difference could not be analysed.
    """
    try:
        with path.open("rb") as stream:
            # Not strict: office programs write hybrid cross-references, which strict mode refuses.
            return _review(path, PdfFileReader(stream, strict=False), signature, is_last)
    except (CheckFailed, CheckUnknown):
        raise
    except SuspiciousModification as error:
        raise _forbidden() from error
    # pyHanko meets hostile or broken bytes here, documents no closed set of errors, and crashes on a few
    # of its own test files with AttributeError and the like; the answer to all of them is "not known".
    except Exception as error:
        raise _unknown(f"the analysis ended with {type(error).__name__}") from error


def _review(path: Path, reader: PdfFileReader, signature: SignatureField, is_last: bool) -> bool:
    if reader.xrefs.total_revisions > MAX_REVISIONS:
        raise _unknown(f"more than {MAX_REVISIONS} revisions")
    embedded = _find(reader, signature)
    embedded.coverage = embedded.evaluate_signature_coverage()
    if embedded.coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        raise CheckFailed(
            "not-covered",
            "FORMAT_FAILURE",
            "the signature does not cover the whole revision it belongs to",
            zh="签名没有覆盖其所属版本的全部内容",
        )
    if embedded.signed_revision + 1 == reader.xrefs.total_revisions and not is_blank_after(
        path, signature.end
    ):
        raise _appended()
    _check_end(path, reader)
    _check_size(reader, embedded.signed_revision)
    result = embedded.evaluate_modifications(DIFFERENCE_POLICY)
    allowed = embedded.docmdp_level
    if not isinstance(result, DiffResult):
        raise _forbidden()
    level = result.modification_level
    most = ModificationLevel.LTA_UPDATES if is_last else ModificationLevel.ANNOTATIONS
    if level > most or (allowed is not None and level.value > allowed.value):
        raise _forbidden()
    _check_form(reader.get_historical_resolver(embedded.signed_revision), reader)
    return bool(level is ModificationLevel.ANNOTATIONS)


def _check_end(path: Path, reader: PdfFileReader) -> None:
    """Check that the file ends with its last revision: bytes behind it belong to none, and hide there."""
    last = reader.xrefs.get_xref_container_info(reader.xrefs.total_revisions - 1)
    with path.open("rb") as file:
        file.seek(last.end_location)
        tail = file.read(MAX_TAIL_BYTES + 1)
    end = _END.search(tail)
    if end is None or len(tail) > MAX_TAIL_BYTES or tail[end.end() :].strip(_BLANKS):
        raise _appended()


def _check_size(reader: PdfFileReader, signed_revision: int) -> None:
    """Check that no object was made to go missing by its number (/Size, ISO 32000-2 Table 15)."""
    signed, last = (
        int(reader.trailer.flatten(revision)["/Size"])
        for revision in (signed_revision, reader.xrefs.total_revisions - 1)
    )
    if last < signed:
        raise _forbidden()


def _check_form(signed: HistoricalResolver, last: PdfFileReader) -> None:
    """Check that viewers still draw the form as it was signed (ISO 32000-2 Table 224).

    pyHanko lets /NeedAppearances, /DA and /Q change: with them a viewer draws every field anew, from
    values nobody saw or in white on white (a shadow attack).
    """
    before, after = (root.get("/AcroForm") for root in (signed.root, last.root))
    if not isinstance(after, generic.DictionaryObject):
        return
    known = before if isinstance(before, generic.DictionaryObject) else generic.DictionaryObject()
    if bool(after.get("/NeedAppearances", False)) and not bool(known.get("/NeedAppearances", False)):
        raise _forbidden()
    if any(key in known and known[key] != after.get(key) for key in ("/DA", "/Q")):
        raise _forbidden()


def _find(reader: PdfFileReader, signature: SignatureField) -> EmbeddedPdfSignature:
    for name, value, field in enumerate_sig_fields(reader, filled_status=True):
        # Compared before pyHanko parses the CMS, which another field's odd signature would not survive.
        numbers = tuple(int(number) for number in value.get_object().get("/ByteRange", ()))
        if numbers == signature.byte_range:
            embedded = EmbeddedPdfSignature(reader, field, name)
            if embedded.pkcs7_content == signature.contents:
                return embedded
    raise _unknown("two readers do not see the same signatures")


def _appended() -> CheckFailed:
    return _changed("bytes were appended that belong to no revision of the file", zh="文件末尾被附加了内容")


def _forbidden() -> CheckFailed:
    return _changed(
        "the document was changed after it was signed, by more than the signature allows",
        zh="文件在签署后被修改，超出签名允许的范围",
    )


def _changed(what: str, *, zh: str) -> CheckFailed:
    return CheckFailed("changed-after-signing", "HASH_FAILURE", what, zh=zh)


def _unknown(why: str) -> CheckUnknown:
    return CheckUnknown(
        "changes-not-judged",
        "GENERIC",
        f"something was appended after this signature, and it could not be judged ({why})",
        zh="签名之后文件有追加内容，无法判断是否允许",
    )
