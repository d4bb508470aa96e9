"""Every way an authority can lie is found, each by its own check."""

import contextlib
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import tsp, x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tryout.tsa import POLICY
from stages.crypto.tsp import (
    MAX_NONCE_BITS,
    MAX_RESPONSE_BYTES,
    GrantedToken,
    build_request,
    check_response,
    token_time,
)
from stages.errors import TimestampUnavailable, Untrusted
from tests.simulators import lying_tsa as lies
from tests.simulators.lying_tsa import Authority

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
IMPRINT = hashlib.sha256(b"a signature value").digest()
NONCE = 0x1234567890ABCDEF


@pytest.fixture
def honest(tmp_path: Path) -> Authority:
    return Authority(tmp_path, NOW)


def ask(
    authority: Authority,
    *,
    root: x509.Certificate | None = None,
    asked_at: datetime = NOW,
    policy: str | None = None,
) -> GrantedToken:
    response = authority.ask(build_request(IMPRINT, NONCE))
    return check_response(
        response,
        imprint=IMPRINT,
        nonce=NONCE,
        trust=[root or authority.root],
        asked_at=asked_at,
        policy=policy,
    )


def test_an_honest_answer_gives_its_time_and_name(honest: Authority) -> None:
    token = ask(honest, policy=POLICY)
    assert token.stamped_at == NOW
    assert token.authority == "simulated TSA"
    assert token.certificate.dump() == honest.signer.certificate.dump()
    assert token_time(token.der) == NOW


def test_granted_with_modifications_is_granted(honest: Authority) -> None:
    assert ask(honest.but(spoil=lies.with_status(1))).stamped_at == NOW


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lie": lies.other_imprint}, "message imprint"),
        ({"lie": lies.other_digest}, "message imprint"),
        ({"lie": lies.other_nonce}, "nonce"),
        ({"lie": lies.no_nonce}, "nonce"),
        ({"lie": lies.no_certificate}, "certificate"),
        ({"spoil": lies.without_token}, "no token"),
        ({"spoil": lies.broken_signature}, "was not made with the key"),
        ({"spoil": lies.broken_content}, "changed"),
        ({"critical": False}, "not for time stamping"),
        ({"usages": ()}, "not for time stamping"),
        ({"usages": (ExtendedKeyUsageOID.CODE_SIGNING,)}, "not for time stamping"),
        ({"usages": (lies.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)}, "not for time stamping"),
        ({"clock_error": timedelta(minutes=6)}, "clocks"),
        ({"clock_error": timedelta(minutes=-6)}, "clocks"),
        ({"lifetime": timedelta(minutes=-1)}, "expired"),
        ({"clock_error": timedelta(days=-2)}, "not valid yet"),
    ],
)
def test_a_lie_is_untrusted_and_named(honest: Authority, change: dict[str, object], message: str) -> None:
    with pytest.raises(Untrusted, match=message) as caught:
        ask(honest.but(**change))
    assert caught.value.zh


def test_a_clock_five_minutes_off_is_accepted(honest: Authority) -> None:
    assert ask(honest.but(clock_error=timedelta(minutes=5)))
    assert ask(honest.but(clock_error=timedelta(minutes=-5)))


def test_a_chain_to_another_root_is_untrusted(honest: Authority) -> None:
    with pytest.raises(Untrusted, match="none of the trusted"):
        ask(honest, root=honest.but().root)


def test_an_authority_is_not_trusted_without_any_root(honest: Authority) -> None:
    with pytest.raises(Untrusted):
        check_response(
            honest.ask(build_request(IMPRINT, NONCE)), imprint=IMPRINT, nonce=NONCE, trust=[], asked_at=NOW
        )


def test_another_policy_is_untrusted(honest: Authority) -> None:
    with pytest.raises(Untrusted, match=r"policy is 2\.999\.3161\.1, not 1\.2\.3"):
        ask(honest, policy="1.2.3")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda info: info.__setitem__("version", 2), "version"),
        (lambda info: info.__setitem__("nonce", 0), "nonce"),
        (lambda info: info.__setitem__("policy", "1.2.3"), "policy"),
    ],
)
def test_a_lie_the_authority_signs_is_found_all_the_same(
    honest: Authority, change: Callable[[tsp.TSTInfo], None], message: str
) -> None:
    with pytest.raises(Untrusted, match=message):
        check_response(
            lies.resigned(honest.signer, NOW, change)(honest.ask(build_request(IMPRINT, NONCE))),
            imprint=IMPRINT,
            nonce=NONCE,
            trust=[honest.root],
            asked_at=NOW,
            policy=POLICY,
        )


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_a_status_other_than_granted_is_no_timestamp_even_with_a_token(
    honest: Authority, status: int
) -> None:
    with pytest.raises(TimestampUnavailable, match=f"status {status}"):
        ask(honest.but(spoil=lies.with_status(status)))


def test_a_refusal_names_the_authority_s_reason(honest: Authority) -> None:
    with pytest.raises(TimestampUnavailable, match="bad_data_format"):
        ask(honest.but(lie=lambda request: request[:-3]))


@pytest.mark.parametrize("response", [b"", b"<html>busy</html>", b"\x30\x00", b"\x30\x80", bytes(100)])
def test_what_is_no_response_is_unavailable(response: bytes) -> None:
    with pytest.raises(TimestampUnavailable):
        check_response(response, imprint=IMPRINT, nonce=NONCE, trust=[], asked_at=NOW)


def test_an_answer_over_the_limit_is_not_read() -> None:
    with pytest.raises(TimestampUnavailable, match="larger"):
        check_response(bytes(MAX_RESPONSE_BYTES + 1), imprint=IMPRINT, nonce=NONCE, trust=[], asked_at=NOW)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, x509.Certificate]:
    """One honest answer, and the root that makes it believed."""
    authority = Authority(tmp_path_factory.mktemp("tsa"), NOW)
    return authority.ask(build_request(IMPRINT, NONCE)), authority.root


@settings(deadline=None)
@given(data=st.data())
def test_an_answer_with_one_byte_changed_is_refused_or_says_the_same(
    kept: tuple[bytes, x509.Certificate], data: st.DataObject
) -> None:
    response, root = kept
    at = data.draw(st.integers(0, len(response) - 1))
    value = data.draw(st.integers(0, 255))
    changed = response[:at] + bytes((value,)) + response[at + 1 :]
    # What no signature covers, such as "granted with modifications", may differ and say the same.
    with contextlib.suppress(Untrusted, TimestampUnavailable):
        token = check_response(changed, imprint=IMPRINT, nonce=NONCE, trust=[root], asked_at=NOW)
        assert token.stamped_at == NOW
        assert token.authority == "simulated TSA"


@settings(deadline=None)
@given(imprint=st.binary(min_size=32, max_size=32), nonce=st.integers(0, 2**MAX_NONCE_BITS - 1))
def test_a_request_says_what_was_asked(imprint: bytes, nonce: int) -> None:
    parsed = tsp.TimeStampReq.load(build_request(imprint, nonce), strict=True)
    assert parsed["version"].native == "v1"
    assert parsed["message_imprint"]["hash_algorithm"]["algorithm"].native == "sha256"
    assert parsed["message_imprint"]["hashed_message"].native == imprint
    assert parsed["nonce"].native == nonce
    assert parsed["cert_req"].native is True


@pytest.mark.parametrize(("imprint", "nonce"), [(b"short", 1), (IMPRINT, -1), (IMPRINT, 1 << MAX_NONCE_BITS)])
def test_a_request_of_other_sizes_is_a_mistake(imprint: bytes, nonce: int) -> None:
    with pytest.raises(ValueError, match="imprint of"):
        build_request(imprint, nonce)
