"""The try-out time-stamping authority answers as RFC 3161 wants, and refuses what it must."""

import hashlib
import http.client
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from asn1crypto import tsp
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.keys import open_signer
from pipeline.tryout.pki import TryoutPki
from pipeline.tryout.tsa import MAX_REQUEST_BYTES, POLICY, REQUEST_TYPE, RESPONSE_TYPE, TsaServer, answer
from stages.authorities import Signer
from stages.crypto.tsp import build_request, check_response
from stages.errors import SigningRefused
from tests.simulators import pki as simulated
from tests.simulators.keys import write_pem_signer
from tests.simulators.outsiders import openssl_ts_verify, run

tryout_pki = simulated.tryout_pki
tryout_tsa = simulated.tryout_tsa

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
DATA = b"what is stamped"
IMPRINT = hashlib.sha256(DATA).digest()


@pytest.fixture(scope="module")
def tsa(tryout_pki: TryoutPki) -> Signer:
    return open_signer(tryout_pki.tsa_uri, pin=tryout_pki.pin("tsa"))


def ask(tsa: Signer, request: bytes) -> tsp.TimeStampResp:
    return tsp.TimeStampResp.load(answer(request, signer=tsa, policy=POLICY, serial=7, now=NOW), strict=True)


def changed(**fields: object) -> bytes:
    """Return a good request with fields set, or left out where None."""
    request = tsp.TimeStampReq.load(build_request(IMPRINT, 5))
    for name, value in fields.items():
        if value is None:
            del request[name]
        else:
            request[name] = value
    return bytes(request.dump(force=True))


def imprint(algorithm: str, hashed: bytes) -> dict[str, object]:
    return {"hash_algorithm": {"algorithm": algorithm}, "hashed_message": hashed}


def test_a_token_says_what_time_accuracy_policy_and_serial(tsa: Signer) -> None:
    response = ask(tsa, build_request(IMPRINT, 5))
    assert response["status"]["status"].native == "granted"
    info = response["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
    assert info["gen_time"].native == NOW
    assert info["accuracy"]["seconds"].native == 1
    assert info["policy"].dotted == POLICY
    assert info["serial_number"].native == 7
    assert info["nonce"].native == 5
    assert info["ordering"].native is False


@pytest.mark.needs_openssl
def test_openssl_verifies_the_token(tryout_pki: TryoutPki, tsa: Signer, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    response = answer(build_request(IMPRINT, 5), signer=tsa, policy=POLICY, serial=7, now=now)
    token = check_response(response, imprint=IMPRINT, nonce=5, trust=[tryout_pki.root], asked_at=now)
    assert "Verification: OK" in openssl_ts_verify(tmp_path, token.der, DATA, tryout_pki.root)


@pytest.mark.needs_openssl
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_openssl_asks_and_verifies_by_itself(
    tryout_pki: TryoutPki, tryout_tsa: TsaServer, tmp_path: Path, digest: str
) -> None:
    (tmp_path / "data").write_bytes(DATA)
    query, reply = tmp_path / "query.tsq", tmp_path / "reply.tsr"
    run("openssl", "ts", "-query", "-data", tmp_path / "data", f"-{digest}", "-cert", "-out", query)
    response = httpx.post(
        tryout_tsa.url, content=query.read_bytes(), headers={"Content-Type": REQUEST_TYPE}, trust_env=False
    )
    assert response.headers["Content-Type"] == RESPONSE_TYPE
    reply.write_bytes(response.content)
    verify = ("openssl", "ts", "-verify", "-queryfile", query, "-in", reply, "-CAfile", tryout_pki.ca_path)
    assert "Verification: OK" in run(*verify)
    (tmp_path / "other").write_bytes(b"something else")
    wrong: list[str | Path] = [*verify[:3], "-data", tmp_path / "other", *verify[5:]]
    assert subprocess.run(wrong, capture_output=True, check=False).returncode != 0


def test_no_certificate_is_sent_to_who_does_not_ask(tsa: Signer) -> None:
    for asked, expected in ((True, 1), (False, 0)):
        token = ask(tsa, changed(cert_req=asked))["time_stamp_token"]["content"]
        found = token["certificates"].native or []
        assert min(len(found), 1) == expected


@pytest.mark.parametrize(
    ("request_der", "reason"),
    [
        (b"", "bad_data_format"),
        (b"\x30\x03\x02\x01", "bad_data_format"),
        (build_request(IMPRINT, 5) + b"\x00", "bad_data_format"),
        (changed(message_imprint=imprint("sha1", bytes(20))), "bad_alg"),
        (changed(message_imprint=imprint("sha256", bytes(31))), "bad_data_format"),
        (changed(message_imprint=imprint("sha512", bytes(32))), "bad_data_format"),
        (changed(version=2), "bad_request"),
        (changed(nonce=1 << 1000), "bad_request"),
        (changed(req_policy="1.2.3"), "unaccepted_policy"),
        (
            changed(extensions=[{"extn_id": "1.2.3.4", "critical": False, "extn_value": b"\x05\x00"}]),
            "unaccepted_extensions",
        ),
    ],
)
def test_what_cannot_be_stamped_is_refused_with_its_reason(
    tsa: Signer, request_der: bytes, reason: str
) -> None:
    der = answer(request_der, signer=tsa, policy=POLICY, serial=7, now=NOW)
    status = tsp.PKIStatusInfo.load(bytes(tsp.TimeStampResp.load(der).contents))
    assert status["status"].native == "rejection"
    assert status["fail_info"].native == {reason}
    assert status["status_string"][0].native


def test_our_own_policy_may_be_asked_for(tsa: Signer) -> None:
    assert ask(tsa, changed(req_policy=POLICY))["status"]["status"].native == "granted"


def test_a_request_without_a_nonce_gets_none(tsa: Signer) -> None:
    token = ask(tsa, changed(nonce=None))["time_stamp_token"]["content"]
    assert token["encap_content_info"]["content"].parsed["nonce"].native is None


def test_a_key_that_refuses_is_a_system_failure(tmp_path: Path) -> None:
    uri, _ = write_pem_signer(tmp_path / "key.pem", NOW)
    real = open_signer(uri, pin=None)

    class Refusing:
        certificate, chain, signature_algorithm = real.certificate, real.chain, real.signature_algorithm

        def sign(self, data: bytes) -> bytes:
            raise SigningRefused("device gone")

    der = answer(build_request(IMPRINT, 5), signer=Refusing(), policy=POLICY, serial=7, now=NOW)
    status = tsp.PKIStatusInfo.load(bytes(tsp.TimeStampResp.load(der).contents))
    assert status["fail_info"].native == {"system_failure"}


@settings(deadline=None)
@given(request_der=st.binary(max_size=200))
def test_any_bytes_get_an_answer(tsa: Signer, request_der: bytes) -> None:
    assert answer(request_der, signer=tsa, policy=POLICY, serial=7, now=NOW)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, b"x", 415),
        ({"Content-Type": REQUEST_TYPE}, bytes(MAX_REQUEST_BYTES + 1), 413),
    ],
)
def test_http_that_is_no_request_is_refused(
    tryout_tsa: TsaServer, headers: dict[str, str], body: bytes, status: int
) -> None:
    response = httpx.post(tryout_tsa.url, content=body, headers=headers, trust_env=False)
    assert response.status_code == status


def test_http_without_a_length_is_refused(tryout_tsa: TsaServer) -> None:
    url = httpx.URL(tryout_tsa.url)
    connection = http.client.HTTPConnection(url.host, url.port, timeout=5)
    # The server answers before it reads a body; one still under way would meet a closed door, now and then.
    connection.putrequest("POST", "/")
    connection.putheader("Content-Type", REQUEST_TYPE)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()


def test_a_closed_server_frees_its_port(tryout_pki: TryoutPki) -> None:
    with TsaServer(tryout_pki) as first:
        port = httpx.URL(first.url).port
        assert port is not None
        with pytest.raises(SigningRefused, match="cannot listen"):
            TsaServer(tryout_pki, port=port)
    with TsaServer(tryout_pki, port=port) as second:
        assert second.url == first.url
