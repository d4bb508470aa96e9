"""Unified social credit codes: the check character of GB 32100-2015."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_imaging.codes import credit_check_character, is_credit_code

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
KNOWN = "91350100M000100Y43"
"""The code most often worked out to explain the standard."""


def test_a_known_code_is_valid() -> None:
    assert is_credit_code(KNOWN)
    assert credit_check_character(KNOWN[:17]) == KNOWN[17]


@pytest.mark.parametrize(
    "code", ["", KNOWN[:17], KNOWN + "0", KNOWN.lower(), "91350100I000100Y43", KNOWN[:17] + "I"]
)
def test_what_is_no_credit_code(code: str) -> None:
    assert not is_credit_code(code)


def test_a_character_that_codes_do_not_use_is_refused() -> None:
    with pytest.raises(ValueError, match="first 17 characters"):
        credit_check_character("91350100O000100Y4")


@given(st.text(ALPHABET, min_size=17, max_size=17), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_seen(first: str, place: int, wrong: str) -> None:
    code = first + credit_check_character(first)
    assert is_credit_code(code)
    other = code[:place] + wrong + code[place + 1 :]
    assert is_credit_code(other) == (other == code)
