"""What the signatures of a PDF are and still allow, in words: who, when, what they forbid."""

from collections.abc import Iterator, Sequence

import pikepdf

from stages.crypto.chains import common_name
from stages.crypto.signed_data import parse_signed_data
from stages.documents import DocMDP, ExistingSignature, Finding
from stages.errors import StagesError
from stages.pdf.field_lock import FieldLock, LockAction
from stages.pdf.sayings import MAX_SHOWN, printable, say, some_names

MAX_CONTENTS_BYTES = 1 << 20

_LEVELS = {
    DocMDP.NO_CHANGES: ("certified: nothing may be added", "认证：不允许任何更改"),
    DocMDP.FILL_AND_SIGN: ("allows filling in and signing", "允许填表和签名"),
    DocMDP.FILL_SIGN_ANNOTATE: ("allows filling in, signing, annotating", "允许填表、签名和批注"),
}
_ALLOWED = (
    "The pages can no longer change: a seal can only be added as an annotation or with a new signature, "
    "where the earlier ones allow that",
    "页面内容已不可更改，印章只能在原签名允许的范围内以批注形式或随新签名加盖",
)


def signer_of(signature: pikepdf.Object) -> str:
    """Return the name in the certificate a signature came with, unchecked; empty when it cannot be read."""
    contents = signature.get("/Contents")
    if not isinstance(contents, pikepdf.String):
        return ""
    data = bytes(contents)
    if len(data) > MAX_CONTENTS_BYTES:
        return ""
    try:
        return common_name(parse_signed_data(data).certificate)
    except StagesError:
        return ""


def signature_findings(signatures: Sequence[ExistingSignature]) -> Iterator[Finding]:
    """Yield what is to be said of the signatures a file has."""
    if not signatures:
        return
    said = [_words(signature) for signature in signatures[:MAX_SHOWN]]
    more = " …" if len(signatures) > MAX_SHOWN else ""
    yield say(
        "existing-signatures",
        count=len(signatures),
        who="; ".join(english for english, _ in said) + more,
        who_zh="；".join(chinese for _, chinese in said) + more,
        allowed=_ALLOWED[0],
        allowed_zh=_ALLOWED[1],
    )
    if any(signature.docmdp is DocMDP.NO_CHANGES for signature in signatures):
        yield say("certified-no-changes")
    elif any(lock.action is LockAction.ALL for signature in signatures for lock in signature.locks):
        yield say("form-locked")


def _words(signature: ExistingSignature) -> tuple[str, str]:
    """Return one signature in English and Chinese: field, who, when, what it forbids."""
    english, chinese = [printable(signature.field_name)], [printable(signature.field_name)]
    if signature.is_timestamp:
        english.append("document timestamp")
        chinese.append("文档时间戳")
    if signature.signer:
        english.append(f"by {printable(signature.signer)}")
        chinese.append(printable(signature.signer))
    if signature.signed_at is not None:
        english.append(f"{signature.signed_at:%Y-%m-%d %H:%M} UTC")
        chinese.append(f"{signature.signed_at:%Y-%m-%d %H:%M} UTC")
    if signature.docmdp is not None:
        english.append(_LEVELS[signature.docmdp][0])
        chinese.append(_LEVELS[signature.docmdp][1])
    for lock in signature.locks:
        locked, locked_zh = _lock_words(lock)
        english.append(locked)
        chinese.append(locked_zh)
    return ", ".join(english), "，".join(chinese)


def _lock_words(lock: FieldLock) -> tuple[str, str]:
    names = some_names(lock.names)
    match lock.action:
        case LockAction.ALL:
            return "locks every field", "锁定全部表单域"
        case LockAction.INCLUDE:
            return f"locks the fields {names}", f"锁定表单域 {names}"
        case LockAction.EXCLUDE:
            return f"locks every field but {names}", f"锁定除 {names} 外的全部表单域"
