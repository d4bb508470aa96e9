"""Keys are opened once, and everything wrong with one is said in one line without its PIN."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_der_public_key, pkcs12
from cryptography.x509 import (
    BasicConstraints,
    CertificateBuilder,
    KeyUsage,
    random_serial_number,
)

from pipeline.key_certificates import check_usable
from pipeline.key_files import MAX_KEY_FILE_BYTES
from pipeline.keys import open_signer
from pipeline.pins import DEFAULT_PINS
from pipeline.tryout.certificates import issue, tryout_name
from pipeline.tryout.pki import TryoutPki
from stages.errors import SigningRefused
from tests.simulators import pki as simulated
from tests.simulators.keys import new_key, pem_of, small_root, write_pem_signer

tryout_pki = simulated.tryout_pki

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


def test_the_tryout_key_signs_what_its_certificate_verifies(tryout_pki: TryoutPki) -> None:
    signer = open_signer(tryout_pki.signer_uri, pin=lambda: tryout_pki.pin("signer"))
    key = load_der_public_key(signer.certificate.public_key.dump())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signer.sign(b"data"), b"data", padding.PKCS1v15(), hashes.SHA256())
    assert signer.signature_algorithm == "sha256_rsa"
    assert [issuer.subject for issuer in signer.chain] == [tryout_pki.root.subject]


def test_the_pin_is_asked_for_once(tryout_pki: TryoutPki) -> None:
    asked: list[None] = []

    def pin() -> str:
        asked.append(None)
        return tryout_pki.pin("signer")

    signer = open_signer(tryout_pki.signer_uri, pin=pin)
    signer.sign(b"one")
    signer.sign(b"two")
    assert len(asked) == 1


def test_an_elliptic_curve_key_gives_the_same_signature_twice(tmp_path: Path) -> None:
    uri, _ = write_pem_signer(tmp_path / "key.pem", NOW, kind="p256")
    first, second = open_signer(uri, pin=None), open_signer(uri, pin=None)
    assert first.signature_algorithm == "sha256_ecdsa"
    assert first.sign(b"data") == second.sign(b"data")
    key = load_der_public_key(first.certificate.public_key.dump())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(first.sign(b"data"), b"data", ec.ECDSA(hashes.SHA256()))


def test_an_encrypted_pem_opens_with_its_pin_only(tmp_path: Path) -> None:
    root_key, root = small_root(NOW)
    key = new_key("p256")
    certificate = issue(tryout_name("a", "b"), key, issuer=(root_key, root), now=NOW)
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of(key, certificate, pin="correct horse"))
    assert open_signer(f"file:{path}", pin="correct horse").chain == ()
    for pin in ("wrong horse", None):
        with pytest.raises(SigningRefused, match="wrong PIN"):
            open_signer(f"file:{path}", pin=pin)


def test_a_wrong_pin_is_refused_and_not_repeated(tryout_pki: TryoutPki) -> None:
    with pytest.raises(SigningRefused, match="wrong PIN") as caught:
        open_signer(tryout_pki.signer_uri, pin="battery-staple")
    assert "battery" not in str(caught.value) + caught.value.zh
    assert "PIN 错误" in caught.value.zh


@pytest.mark.parametrize("pin", sorted(DEFAULT_PINS))
def test_a_factory_default_pin_is_refused_although_it_opens_the_key(tmp_path: Path, pin: str) -> None:
    root_key, root = small_root(NOW)
    key = new_key("p256")
    certificate = issue(tryout_name("a", "b"), key, issuer=(root_key, root), now=NOW)
    path = tmp_path / "key.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"key", key, certificate, None, BestAvailableEncryption(pin.encode())
        )
    )
    with pytest.raises(SigningRefused, match="factory default") as caught:
        open_signer(f"file:{path}", pin=pin)
    assert pin not in str(caught.value) + caught.value.zh


def test_neither_key_nor_pin_is_shown(tryout_pki: TryoutPki) -> None:
    signer = open_signer(tryout_pki.signer_uri, pin=tryout_pki.pin("signer"))
    assert "试用企业" in repr(signer)
    for secret in (tryout_pki.pin("signer"), "PrivateKey", "private"):
        assert secret not in repr(signer)


@pytest.mark.parametrize("uri", ["key.p12", "skf:token=x", "https://x/key.p12", ""])
def test_an_address_of_another_kind_is_refused(uri: str) -> None:
    with pytest.raises(SigningRefused, match="file:"):
        open_signer(uri, pin=None)


def test_files_that_are_no_keys_are_refused(tmp_path: Path) -> None:
    root_key, root = small_root(NOW)
    key = new_key("p256")
    certificate = issue(tryout_name("a", "b"), key, issuer=(root_key, root), now=NOW)
    weak = new_key("rsa1024")
    other_curve = new_key("p384")
    cases = {
        "missing": (None, "cannot be read"),
        "empty": (b"", "wrong PIN, or not a PKCS#12"),
        "noise": (bytes(range(256)) * 8, "wrong PIN, or not a PKCS#12"),
        "huge": (bytes(MAX_KEY_FILE_BYTES + 1), "larger than"),
        "no-key": (pem_of(None, certificate), "no private key"),
        "no-certificate": (pem_of(key), "no certificate"),
        "not-its-key": (pem_of(new_key("p256"), certificate), "does not belong"),
        "weak": (
            pem_of(weak, issue(tryout_name("a", "b"), weak, issuer=(root_key, root), now=NOW)),
            "unsupported kind",
        ),
        "other-curve": (
            pem_of(other_curve, issue(tryout_name("a", "b"), other_curve, issuer=(root_key, root), now=NOW)),
            "unsupported kind",
        ),
        "damaged-key": (
            pem_of(key, certificate).replace(b"PRIVATE KEY-----\nM", b"PRIVATE KEY-----\nX"),
            "PIN",
        ),
        "damaged-certificate": (
            pem_of(key) + b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "damaged certificate",
        ),
    }
    for name, (content, message) in cases.items():
        path = tmp_path / f"{name}.pem"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SigningRefused, match=message) as caught:
            open_signer(f"file:{path}", pin=None)
        assert path.name in str(caught.value)
        assert path.name in caught.value.zh


def test_a_pin_too_long_is_refused(tryout_pki: TryoutPki) -> None:
    with pytest.raises(SigningRefused, match="longer than"):
        open_signer(tryout_pki.signer_uri, pin="x" * 1000)


def test_the_certificate_of_the_key_is_found_behind_its_issuer(tmp_path: Path) -> None:
    root_key, root = small_root(NOW)
    key = new_key("p256")
    certificate = issue(tryout_name("a", "b"), key, issuer=(root_key, root), now=NOW)
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of(key, root, certificate))
    assert open_signer(f"file:{path}", pin=None).certificate.serial_number == certificate.serial_number


def test_a_certificate_is_usable_between_its_dates_only(tmp_path: Path) -> None:
    uri, _ = write_pem_signer(tmp_path / "key.pem", NOW)
    signer = open_signer(uri, pin=None)
    check_usable(signer, NOW)
    with pytest.raises(SigningRefused, match="expired"):
        check_usable(signer, NOW + timedelta(days=2000))
    with pytest.raises(SigningRefused, match="valid only from"):
        check_usable(signer, NOW - timedelta(days=2))


def test_a_certificate_for_encryption_is_refused(tmp_path: Path) -> None:
    key = new_key("p256")
    name = tryout_name("加密证书", "b")
    other_usages = (
        *("digital_signature", "content_commitment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    usage = dict.fromkeys(other_usages, False)
    certificate = (
        CertificateBuilder(name, name, key.public_key(), random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(KeyUsage(key_encipherment=True, **usage), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "key.pem"
    path.write_bytes(pem_of(key, certificate))
    with pytest.raises(SigningRefused, match="not for signatures"):
        check_usable(open_signer(f"file:{path}", pin=None), NOW)


def test_a_key_in_the_clear_is_opened_without_asking_for_a_pin(tmp_path: Path) -> None:
    uri, _ = write_pem_signer(tmp_path / "key.pem", NOW, kind="p256")
    asked: list[None] = []
    assert open_signer(uri, pin=lambda: str(asked.append(None))).signature_algorithm == "sha256_ecdsa"
    assert not asked
