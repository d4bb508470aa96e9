"""What counts as the same character: widths, radicals, brackets, hyphens and, by choice, simplified forms."""

import unicodedata
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import opencc

_RADICALS = (
    "⺁厂⺃乚⺄乙⺆冂⺍小⺎兀⺒巳⺓幺⺛旡⺜日⺝月⺟母⺠民⺧牛⺩王⺬示⺶羊⺼月⻁虎⻄西⻅见⻆角⻉贝⻋车⻑長⻓长⻔门⻗雨"
    "⻘青⻙韦⻚页⻛风⻜飞⻝食⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟"
)
"""CJK Radicals Supplement that stand for whole characters, each with its character: PDFs hold them where a
font's own table gives a glyph two code points. Source: Unicode EquivalentUnifiedIdeograph.txt; NFKC has
these two blocks' Kangxi half (U+2F00..2FD5) only."""
_VARIANTS = "戶户戸户靑青黃黄"
"""What the Kangxi radicals become by NFKC, where Chinese text has another form of the same character."""
_PUNCTUATION = (
    '○〇◯〇⚪〇〔(〕)【(】)〖(〗)❨(❩)⟮(⟯)⦅(⦆)‐-‑-‒-–-—-―-−-─-━-∶:ː:“"”"„"〝"〞"‘\'’\'•·・·‧·∙·⋅·●·〜~∼~'
)

_SAME: Mapping[str, str] = MappingProxyType(
    {
        pairs[i]: pairs[i + 1]
        for pairs in (_RADICALS, _VARIANTS, _PUNCTUATION)
        for i in range(0, len(pairs), 2)
    }
)
_VARIATION_SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10))) | frozenset(
    map(chr, range(0xE0100, 0xE01F0))
)


@cache
def _to_simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@cache
def folded_char(original: str, simplified: bool = False) -> str:
    """Return what stands for one character when texts are compared: none, one or more characters.

    Blanks and invisible characters are gone. Widths and compatibility forms are made equal by NFKC, as are
    radicals with the characters they look like, brackets, hyphens, quotes, and circles with 〇.

    Args:
        simplified: traditional characters become simplified ones.
    """
    kept = []
    for char in unicodedata.normalize("NFKC", _SAME.get(original, original)):
        if char.isspace() or char in _VARIATION_SELECTORS or unicodedata.category(char) in ("Cf", "Cc"):
            continue
        char = _SAME.get(char, char)
        kept.append(_to_simplified().convert(char) if simplified and char > "\u2e7f" else char)
    return "".join(kept)


def folded(text: str, *, simplified: bool = False) -> str:
    """Return a text with every character as `folded_char` has it, so that characters keep their boxes."""
    return "".join([folded_char(char, simplified) for char in text])
