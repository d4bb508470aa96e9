"""Addresses of keys in tokens are read as RFC 7512 writes them, and never hold a PIN."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.token_address import MAX_ADDRESS_CHARACTERS, parse_token_address
from stages.errors import SigningRefused


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("driver") / "driver.so"
    path.touch()
    return path


def test_every_attribute_is_taken_over(library: Path) -> None:
    rest = "token=%E5%85%AC%E5%8F%B8;serial=01a;slot-id=3;object=k;id=%01%ff;manufacturer=M;model=X"
    address = parse_token_address(f"{rest};type=private?module-path={library}")
    assert (address.token, address.serial, address.slot_id) == ("公司", b"01a", 3)
    assert (address.object_label, address.object_id) == ("k", b"\x01\xff")
    assert (address.manufacturer, address.model, address.module) == ("M", "X", library)
    assert address.shown == "pkcs11:公司/k/01ff"


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("token=a;pin-value=123", "holds a PIN"),
        ("token=a?pin-source=file:/pin", "holds a PIN"),
        ("label=a", "label is unknown; known: id, "),
        ("token", "token is unknown"),
        ("token=a;token=b", "stands twice"),
        ("token=%zz", "escapes nothing"),
        ("token=%ff", "not UTF-8"),
        ("slot-id=first", "no number"),
        ("type=cert", "no private key"),
        ("token=a", "names no PKCS#11 library"),
        ("token=a?module-path=driver.so", "there is no PKCS#11 library"),
        ("token=" + "a" * MAX_ADDRESS_CHARACTERS, "longer than"),
    ],
)
def test_an_address_that_says_nothing_usable_is_refused(rest: str, says: str) -> None:
    with pytest.raises(SigningRefused, match=says) as caught:
        parse_token_address(rest)
    assert "123" not in str(caught.value) + caught.value.zh


@given(text=st.text(max_size=60))
def test_no_text_without_a_library_is_an_address(text: str) -> None:
    with pytest.raises(SigningRefused):
        parse_token_address(text)
