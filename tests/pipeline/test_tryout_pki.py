"""The try-out authority is made whole or not at all, and nobody mistakes it for a real one."""

import re
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import pem, x509
from cryptography.hazmat.primitives.asymmetric import rsa

import pipeline.tryout.pki as pki_module
from pipeline.key_certificates import check_usable
from pipeline.keys import open_signer
from pipeline.tryout.pki import TryoutPki, create_pki, open_pki
from stages.crypto.tryout import is_tryout
from stages.errors import SigningRefused
from tests.simulators import pki as simulated
from tests.simulators.keys import new_key

tryout_pki = simulated.tryout_pki

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """One RSA key for every certificate: these tests look at files, not at keys."""
    key = new_key("rsa2048")
    monkeypatch.setattr(rsa, "generate_private_key", lambda public_exponent, key_size: key)


def test_every_file_is_for_its_owner_only(tryout_pki: TryoutPki) -> None:
    assert stat.S_IMODE(tryout_pki.folder.stat().st_mode) == 0o700
    files = sorted(tryout_pki.folder.iterdir())
    assert [file.name for file in files] == [
        "ca.pem", "maker.p12", "maker.pin", "signer.p12", "signer.pin", "tsa.p12", "tsa.pin",
    ]  # fmt: skip
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize("role", ["signer", "tsa", "maker"])
def test_every_certificate_says_in_both_languages_that_it_is_for_trying_out(
    tryout_pki: TryoutPki, role: str
) -> None:
    signer = open_signer(tryout_pki.uri(role), pin=tryout_pki.pin(role))
    check_usable(signer, datetime.now(UTC))
    assert is_tryout(signer.certificate)
    assert "Sealine try-out, not trusted (试用，不受信任)" in signer.certificate.subject.human_friendly


def test_a_real_certificate_is_not_for_trying_out() -> None:
    import certifi

    with Path(certifi.where()).open("rb") as file:
        certificates = [x509.Certificate.load(der) for _, _, der in pem.unarmor(file.read(), multiple=True)]
    assert certificates
    assert not any(is_tryout(certificate) for certificate in certificates)


def test_the_signer_carries_the_organisation_and_its_code(tryout_pki: TryoutPki) -> None:
    certificate = open_signer(tryout_pki.signer_uri, pin=tryout_pki.pin("signer")).certificate
    subject = certificate.subject.native
    assert subject["organization_name"] == "试用企业"
    assert re.fullmatch(r"NTRCN-[0-9A-Z]{18}", subject["organization_identifier"])
    assert subject["serial_number"] == subject["organization_identifier"].removeprefix("NTRCN-")
    assert not certificate.ocsp_urls  # pdfsig would wait for an answer


def test_the_tsa_is_for_time_stamping_alone_and_says_so_critically(tryout_pki: TryoutPki) -> None:
    certificate = open_signer(tryout_pki.tsa_uri, pin=tryout_pki.pin("tsa")).certificate
    assert certificate.extended_key_usage_value.native == ["time_stamping"]
    assert "extended_key_usage" in certificate.critical_extensions


def test_pins_are_random_and_shown_nowhere(tryout_pki: TryoutPki) -> None:
    pins = {tryout_pki.pin(role) for role in ("signer", "tsa", "maker")}
    assert len(pins) == 3
    assert all(len(pin) >= 20 for pin in pins)
    assert not any(pin in repr(tryout_pki) for pin in pins)


@pytest.mark.needs_openssl
@pytest.mark.parametrize(
    ("role", "purpose"), [("signer", "smimesign"), ("tsa", "timestampsign"), ("maker", "any")]
)
def test_openssl_accepts_every_chain(tryout_pki: TryoutPki, tmp_path: Path, role: str, purpose: str) -> None:
    certificate = open_signer(tryout_pki.uri(role), pin=tryout_pki.pin(role)).certificate
    path = tmp_path / "leaf.pem"
    path.write_bytes(pem.armor("CERTIFICATE", certificate.dump()))
    result = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", tryout_pki.ca_path, path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_what_was_made_can_be_opened_again(tryout_pki: TryoutPki) -> None:
    opened = open_pki(tryout_pki.folder)
    assert opened.root.dump() == tryout_pki.root.dump()
    assert opened.signer_uri == tryout_pki.signer_uri


@pytest.mark.usefixtures("quick_keys")
def test_an_existing_authority_is_left_alone(tmp_path: Path) -> None:
    made = create_pki(tmp_path / "pki", now=NOW)
    before = {file.name: file.read_bytes() for file in made.folder.iterdir()}
    with pytest.raises(SigningRefused, match="not empty"):
        create_pki(tmp_path / "pki", now=NOW)
    assert {file.name: file.read_bytes() for file in made.folder.iterdir()} == before


@pytest.mark.usefixtures("quick_keys")
def test_a_crash_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = pki_module._write_private
    written: list[Path] = []

    def fail_at_the_third(path: Path, content: bytes) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        write(path, content)

    monkeypatch.setattr(pki_module, "_write_private", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        create_pki(tmp_path / "pki", now=NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick_keys")
def test_who_comes_second_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = pki_module._sync_folder
    first: list[Path] = []

    def other_process_first(folder: Path) -> None:
        if not first:
            first.append(folder)
            create_pki(tmp_path / "pki", now=NOW)
        sync(folder)

    monkeypatch.setattr(pki_module, "_sync_folder", other_process_first)
    with pytest.raises(SigningRefused, match="not empty"):
        create_pki(tmp_path / "pki", now=NOW)
    assert [entry.name for entry in tmp_path.iterdir()] == ["pki"]
    assert open_pki(tmp_path / "pki")


@pytest.mark.usefixtures("quick_keys")
def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SigningRefused, match="cannot be written"):
        create_pki(tmp_path / "file" / "pki", now=NOW)


@pytest.mark.parametrize("organisation", ["", "长" * 65])
def test_a_name_x509_cannot_hold_is_refused(tmp_path: Path, organisation: str) -> None:
    with pytest.raises(SigningRefused, match="organisation"):
        create_pki(tmp_path / "pki", now=NOW, organisation=organisation)


@pytest.mark.usefixtures("quick_keys")
def test_an_incomplete_folder_is_no_authority(tmp_path: Path) -> None:
    with pytest.raises(SigningRefused, match=r"ca\.pem"):
        open_pki(tmp_path)
    made = create_pki(tmp_path / "pki", now=NOW, organisation="某某建设有限公司")
    made.ca_path.write_bytes(b"no certificate")
    with pytest.raises(SigningRefused, match="PEM"):
        open_pki(made.folder)
    (made.folder / "signer.pin").unlink()
    with pytest.raises(SigningRefused, match="PIN"):
        made.pin("signer")
    with pytest.raises(SigningRefused, match=r"signer\.pin"):
        open_pki(made.folder)
