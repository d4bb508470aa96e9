"""What the author of an encrypted PDF forbids, in words (ISO 32000-2 Table 22)."""

from collections.abc import Mapping

import pikepdf

_WORDS = {
    "changing": ("changing pages", "修改页面"),
    "forms": ("filling in and signing", "填写与签名"),
    "annotations": ("annotating", "批注"),
    "printing": ("printing", "打印"),
}


def permissions_of(pdf: pikepdf.Pdf) -> Mapping[str, bool]:
    """Return what an encrypted file allows; `rewriter` answers in the same keys."""
    allow = pdf.allow
    return {
        "changing": bool(allow.modify_other),
        "forms": bool(allow.modify_form),
        "annotations": bool(allow.modify_annotation),
        "printing": bool(allow.print_lowres),
    }


def forbidden_words(allowed: Mapping[str, bool]) -> tuple[str, str]:
    """Return in English and Chinese what is not allowed."""
    forbidden = [words for key, words in _WORDS.items() if not allowed[key]]
    if not forbidden:
        return "forbids nothing", "未限制任何操作"
    english, chinese = zip(*forbidden, strict=True)
    return "forbids " + ", ".join(english), "禁止" + "、".join(chinese)
