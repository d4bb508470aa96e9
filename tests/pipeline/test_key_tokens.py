"""Keys in tokens sign like keys in files; PINs are not burnt, and a token pulled out loses nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import CertificateBuilder, KeyUsage, random_serial_number

from pipeline import key_tokens
from pipeline.failures import ExitCode, failure_of
from pipeline.keyring import Keyring
from pipeline.keys import open_signer
from pipeline.pins import DEFAULT_PINS
from pipeline.token_address import parse_token_address
from pipeline.tryout.certificates import issue, tryout_name
from stages.errors import KeyUnavailable, SigningRefused
from tests.simulators.keys import new_key, small_root
from tests.simulators.softhsm import (
    CONF_VARIABLE,
    MODULE,
    PIN,
    SoftToken,
    initialise_token,
    write_configuration,
)

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
YEAR = timedelta(days=365)

pytestmark = pytest.mark.needs_softhsm


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of all tokens here: SoftHSM lists those it finds when it is loaded."""
    folder = tmp_path_factory.mktemp("softhsm")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CONF_VARIABLE, str(write_configuration(folder)))
        for label in ("company", "curves", "guarded"):
            initialise_token(label)
        yield folder
        pkcs11.unload(str(MODULE))


@pytest.fixture(scope="module")
def company(folder: Path) -> SoftToken:
    """A token as a Chinese CA hands it out: key 1 (RSA) signs, key 2 only encrypts; its issuer is there."""
    token = SoftToken("company")
    root_key, root = small_root(NOW)
    name = tryout_name("某某建设有限公司", "某某建设有限公司")
    signing, sealing = new_key("rsa2048"), new_key("rsa2048")
    token.add(1, signing, issue(name, signing, issuer=(root_key, root), now=NOW), root, folder=folder)
    certificate = (
        CertificateBuilder(root.subject, name, sealing.public_key(), random_serial_number(), NOW, NOW + YEAR)
        .add_extension(KeyUsage(False, False, True, True, False, False, False, False, False), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    token.add(2, sealing, certificate, folder=folder)
    return token


@pytest.fixture(scope="module")
def curves(folder: Path) -> SoftToken:
    """A token with two keys that sign: 1 on P-256, 2 on P-384, and one without a certificate."""
    token = SoftToken("curves")
    for key_id, kind in ((1, "p256"), (2, "p384")):
        key = new_key(kind)
        certificate = issue(tryout_name(kind, kind), key, issuer=small_root(NOW), now=NOW)
        token.add(key_id, key, certificate, folder=folder)
    token.add(3, new_key("p256"), folder=folder)
    return token


def test_the_signing_key_of_a_token_is_found_beside_its_encryption_key(company: SoftToken) -> None:
    signer = open_signer(company.uri(), pin=PIN)
    key = load_der_public_key(signer.certificate.public_key.dump())
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signer.sign(b"data"), b"data", padding.PKCS1v15(), hashes.SHA256())
    assert signer.signature_algorithm == "sha256_rsa"
    assert [issuer.subject.native["organization_name"] for issuer in signer.chain] == ["Sealine"]
    assert PIN not in repr(signer)


def test_a_curve_key_signs_in_the_form_that_cms_wants(curves: SoftToken) -> None:
    signer = open_signer(curves.uri(";id=%01"), pin=PIN)
    key = load_der_public_key(signer.certificate.public_key.dump())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    for data in (b"one", b"two", b"three"):
        key.verify(signer.sign(data), data, ec.ECDSA(hashes.SHA256()))
    assert signer.signature_algorithm == "sha256_ecdsa"


def test_many_threads_share_one_login(company: SoftToken) -> None:
    signer = open_signer(company.uri(), pin=PIN)
    key = load_der_public_key(signer.certificate.public_key.dump())
    assert isinstance(key, rsa.RSAPublicKey)
    with ThreadPoolExecutor(12) as threads:
        texts = [b"%d" % number for number in range(48)]
        for text, value in zip(texts, threads.map(signer.sign, texts), strict=True):
            key.verify(value, text, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("", "2 keys sign; choose one: id=%01"),
        (";id=%02", "unsupported kind"),
        (";id=%03", "no certificate for the key"),
        (";id=%09", "no such private key"),
    ],
)
def test_a_key_that_cannot_be_meant_is_refused(curves: SoftToken, rest: str, says: str) -> None:
    with pytest.raises(SigningRefused, match=says) as caught:
        open_signer(curves.uri(rest), pin=PIN)
    assert caught.value.zh


def test_an_absent_token_may_be_plugged_in_later(company: SoftToken) -> None:
    with pytest.raises(KeyUnavailable, match="plug it in") as caught:
        open_signer(company.uri().replace("company", "nowhere"), pin=PIN)
    assert failure_of(caught.value).exit_code is ExitCode.UNAVAILABLE
    assert failure_of(caught.value).retry


def test_tokens_that_fit_alike_must_be_told_apart(company: SoftToken, curves: SoftToken) -> None:
    with pytest.raises(SigningRefused, match=r"3 tokens fit; choose one: token=\w+;serial="):
        open_signer(f"pkcs11:?module-path={MODULE}", pin=PIN)


def test_a_batch_tries_a_wrong_pin_once_and_never_again(folder: Path) -> None:
    token = SoftToken("guarded")
    keyring = Keyring(tryout={}, pin_of_key=token.uri(), given_pin="wrong-horse")
    for _ in range(4):
        with pytest.raises(SigningRefused, match="wrong PIN; it was tried once") as caught:
            keyring.signer(token.uri())
        assert "wrong-horse" not in str(caught.value)
    with pytest.raises(SigningRefused, match="last PIN tried was wrong"):
        open_signer(token.uri(), pin="another-guess")
    # A person at the prompt may try again, and then the batch may.
    with pytest.raises(SigningRefused, match="no such private key"):
        open_signer(token.uri(), pin=lambda: PIN)


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        (pkcs11.TokenFlag.USER_PIN_FINAL_TRY, "one PIN try is left"),
        (pkcs11.TokenFlag.USER_PIN_LOCKED, "locked"),
    ],
)
def test_neither_the_last_try_nor_a_locked_pin_is_used_whoever_asks(
    flag: pkcs11.TokenFlag, words: str
) -> None:
    class Untouched:
        """SoftHSM never says these: a token that may not be opened."""

        flags = flag | pkcs11.TokenFlag.LOGIN_REQUIRED

    address = parse_token_address(f"token=t?module-path={MODULE}")
    for pin in (PIN, lambda: PIN):
        with pytest.raises(SigningRefused, match=words):
            key_tokens._log_in(Untouched(), address, pin)


@pytest.mark.parametrize("pin", sorted(DEFAULT_PINS)[:2])
def test_a_factory_pin_is_not_shown_to_the_token(company: SoftToken, pin: str) -> None:
    with pytest.raises(SigningRefused, match="factory default PIN"):
        open_signer(company.uri(), pin=pin)
    open_signer(company.uri(), pin=PIN)  # no try was used up


def test_a_token_without_a_pin_given_is_refused(company: SoftToken) -> None:
    with pytest.raises(SigningRefused, match="needs a PIN"):
        open_signer(company.uri(), pin=None)


def test_a_token_pulled_out_is_said_and_opened_again(company: SoftToken) -> None:
    keyring = Keyring(tryout={}, pin_of_key=company.uri(), given_pin=PIN)
    signer = keyring.signer(company.uri())
    signer.sign(b"before")
    pkcs11.lib(str(MODULE)).reinitialize()  # every session and handle is void, as after pulling it out
    with pytest.raises(KeyUnavailable, match="does not answer any more"):
        signer.sign(b"during")
    assert keyring.signer(company.uri()).sign(b"before") == open_signer(company.uri(), pin=PIN).sign(
        b"before"
    )


def test_a_file_that_is_no_library_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "driver.so"
    path.write_text("no library")
    with pytest.raises(SigningRefused, match="is no PKCS#11 library"):
        open_signer(f"pkcs11:token=a?module-path={path}", pin=PIN)
