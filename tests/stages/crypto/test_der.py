"""DER by concatenation agrees with a general ASN.1 library."""

from datetime import UTC, datetime

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.crypto import der


@settings(deadline=None)
@given(value=st.integers(-(2**200), 2**200))
def test_integers_are_the_shortest(value: int) -> None:
    assert der.integer(value) == core.Integer(value).dump()


@settings(deadline=None)
@given(value=st.binary(max_size=70_000))
def test_octet_strings_of_any_size(value: bytes) -> None:
    assert der.octet_string(value) == core.OctetString(value).dump()


@settings(deadline=None)
@given(instant=st.datetimes(datetime(1951, 1, 1), datetime(2049, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_are_utc_to_the_second(instant: datetime) -> None:
    whole = instant.replace(microsecond=0)
    assert core.GeneralizedTime.load(der.generalized_time(instant)).native == whole
    assert core.UTCTime.load(der.utc_time(instant)).native == whole


@settings(deadline=None)
@given(values=st.lists(st.binary(max_size=300), max_size=8))
def test_what_is_written_is_read_back(values: list[bytes]) -> None:
    data = b"before" + der.sequence(*(der.octet_string(value) for value in values)) + b"behind"
    whole = der.read(data, 6)
    assert data[whole.end :] == b"behind"
    assert [data[child.value_start : child.end] for child in der.children(data, whole)] == values


@settings(deadline=None)
@given(values=st.lists(st.binary(max_size=40), max_size=8))
def test_a_set_of_is_sorted(values: list[bytes]) -> None:
    elements = [der.octet_string(value) for value in values]
    assert der.set_of(*elements) == der.tlv(der.SET, *sorted(elements))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x05\x00",
        b"\x1f\x81\x01\x00",
        b"\x04\x85\x01\x01\x01\x01\x01",
        b"\x04\x82\x01",
    ],
)
def test_what_is_no_der_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="DER"):
        der.read(data)


def test_an_element_may_not_reach_out_of_its_container() -> None:
    data = der.sequence(b"\x04\x05abc") + b"de"
    with pytest.raises(ValueError, match="cut off"):
        der.children(data, der.read(data))
