"""CMS by concatenation is DER that others read, and a timestamp changes nothing but its own attribute."""

import contextlib

import pytest
from asn1crypto import cms as asn1_cms
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.authorities import Signer
from stages.crypto import der
from stages.crypto.cms import (
    MAX_CHAIN_CERTIFICATES,
    MAX_CMS_BYTES,
    cms_room_bytes,
    make_cms,
    signature_value,
    timestamp_token,
    trim,
    with_timestamp,
)
from stages.errors import Indeterminate, SigningRefused, StagesError

TOKEN = der.sequence(der.oid("1.2.3"), der.octet_string(b"t" * 3000))


class Odd:
    """The try-out signer with something changed."""

    def __init__(self, real: Signer, *, algorithm: str = "sha256_rsa", copies: int = 1) -> None:
        self.certificate = real.certificate
        self.chain = tuple(real.chain) * copies
        self.signature_algorithm = algorithm
        self.sign = real.sign


def test_a_strict_reader_reads_what_was_written(tryout_signer: Signer) -> None:
    made = make_cms(tryout_signer, bytes(range(32)))
    parsed = asn1_cms.ContentInfo.load(made, strict=True)
    assert parsed.dump(force=True) == made  # DER: written again, it is the same
    (info,) = parsed["content"]["signer_infos"]
    assert info["signature"].native == signature_value(made)
    assert timestamp_token(made) is None


@settings(deadline=None)
@given(digest=st.binary(min_size=32, max_size=32))
def test_the_same_digest_gives_the_same_bytes(tryout_signer: Signer, digest: bytes) -> None:
    assert make_cms(tryout_signer, digest) == make_cms(tryout_signer, digest)


def test_room_is_enough_and_depends_on_the_signer_alone(tryout_signer: Signer) -> None:
    room = cms_room_bytes(tryout_signer)
    assert room == cms_room_bytes(tryout_signer)
    assert (
        len(with_timestamp(make_cms(tryout_signer, bytes(32)), b"\x30\x82\x1f\x00" + bytes(0x1F00))) <= room
    )


def test_a_timestamp_is_added_beside_what_was_there(tryout_signer: Signer) -> None:
    plain = make_cms(tryout_signer, bytes(32))
    stamped = with_timestamp(plain, TOKEN)
    assert timestamp_token(stamped) == TOKEN
    assert signature_value(stamped) == signature_value(plain)
    before = asn1_cms.ContentInfo.load(plain)["content"]
    after = asn1_cms.ContentInfo.load(stamped, strict=True)["content"]
    assert after["certificates"].dump() == before["certificates"].dump()
    assert after["signer_infos"][0]["signed_attrs"].dump() == before["signer_infos"][0]["signed_attrs"].dump()
    assert len(after["signer_infos"][0]["unsigned_attrs"]) == 1


def test_two_signature_timestamps_are_not_chosen_between(tryout_signer: Signer) -> None:
    twice = with_timestamp(with_timestamp(make_cms(tryout_signer, bytes(32)), TOKEN), TOKEN)
    with pytest.raises(Indeterminate, match="2 signature timestamps"):
        timestamp_token(twice)


def test_padding_is_zeros_and_nothing_else(tryout_signer: Signer) -> None:
    made = make_cms(tryout_signer, bytes(32))
    assert trim(made + bytes(500)) == made
    with pytest.raises(Indeterminate, match="other than zeros"):
        trim(made + bytes(10) + b"\x01")
    with pytest.raises(Indeterminate):
        trim(b"")


def test_an_algorithm_we_cannot_name_is_refused(tryout_signer: Signer) -> None:
    with pytest.raises(SigningRefused, match="sm3_sm2"):
        make_cms(Odd(tryout_signer, algorithm="sm3_sm2"), bytes(32))


def test_too_many_issuers_are_refused(tryout_signer: Signer) -> None:
    with pytest.raises(SigningRefused, match="issuer certificates"):
        make_cms(Odd(tryout_signer, copies=MAX_CHAIN_CERTIFICATES), bytes(32))


def test_a_certificate_given_twice_is_written_once(tryout_signer: Signer) -> None:
    made = make_cms(Odd(tryout_signer, copies=3), bytes(32))
    assert len(asn1_cms.ContentInfo.load(made)["content"]["certificates"]) == 2


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30\x00", b"\x30\x80\x00\x00", der.sequence(der.oid("1.2.3"), der.tlv(0xA0, der.sequence())),
     bytes(MAX_CMS_BYTES + 1)],
)  # fmt: skip
def test_what_is_no_cms_is_indeterminate(data: bytes) -> None:
    for read in (signature_value, timestamp_token, lambda cms: with_timestamp(cms, TOKEN)):
        with pytest.raises(Indeterminate):
            read(data)


@settings(deadline=None)
@given(data=st.data())
def test_a_damaged_cms_never_crashes_its_reader(tryout_signer: Signer, data: st.DataObject) -> None:
    made = bytearray(with_timestamp(make_cms(tryout_signer, bytes(32)), TOKEN))
    for _ in range(data.draw(st.integers(1, 4))):
        made[data.draw(st.integers(0, len(made) - 1))] = data.draw(st.integers(0, 255))
    for read in (signature_value, timestamp_token, trim, lambda cms: with_timestamp(cms, TOKEN)):
        with contextlib.suppress(StagesError):
            read(bytes(made))
