"""Every reason against an impression has its sentence, in both languages."""

import pytest

from seal_imaging import Reason
from stages.reason_words import REFUSING, WORDS


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_is_wrong_and_what_to_do(reason: Reason) -> None:
    words = WORDS[reason]
    assert words.zh.endswith("。")
    assert words.en.endswith(".")
    assert len(words.zh) >= 15
    assert "，" in words.zh or "：" in words.zh or "；" in words.zh


def test_a_seal_of_unknown_size_is_refused_and_a_missing_third_impression_is_not() -> None:
    assert Reason.SCALE_UNKNOWN in REFUSING
    assert Reason.FEWER_THAN_THREE not in REFUSING
