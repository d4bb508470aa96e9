"""Every reason against an impression has its sentence, in both languages."""

import pytest

from seal_imaging import Reason
from stages.reason_words import WORDS


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_is_wrong_and_what_to_do(reason: Reason) -> None:
    words = WORDS[reason]
    assert words.zh.endswith("。")
    assert words.en.endswith(".")
    assert len(words.zh) >= 15
    assert "，" in words.zh or "：" in words.zh or "；" in words.zh
