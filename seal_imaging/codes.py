"""Checks unified social credit codes (统一社会信用代码, GB 32100-2015)."""

CREDIT_CODE_LENGTH = 18
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100-2015: no I, O, S, V, Z."""


def credit_check_character(first: str) -> str:
    """Return the 18th character that belongs to the first 17.

    Raises:
        ValueError: not 17 characters of the code's alphabet.

    Source: GB 32100-2015, annex A: weights 3^(i-1) mod 31, check = 31 - (sum mod 31).
    """
    if len(first) != CREDIT_CODE_LENGTH - 1 or any(one not in _CREDIT_ALPHABET for one in first):
        raise ValueError(
            "the first 17 characters of a credit code are digits and capitals without I, O, S, V, Z"
        )
    total = sum(_CREDIT_ALPHABET.index(one) * pow(3, place, 31) for place, one in enumerate(first))
    return _CREDIT_ALPHABET[-total % 31]


def is_credit_code(code: str) -> bool:
    """Return whether a code has the right length, alphabet and check character."""
    try:
        return len(code) == CREDIT_CODE_LENGTH and credit_check_character(code[:-1]) == code[-1]
    except ValueError:
        return False
