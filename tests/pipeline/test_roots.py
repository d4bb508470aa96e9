"""Revocation lists out of files, and what they do to verification and to the line."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import pem

from pipeline.errors import UsageRefused
from pipeline.roots import MAX_CRLS, read_crls
from pipeline.settings import read_settings
from pipeline.verifying import verify_files
from pipeline.wiring import App
from tests.simulators.issuers import Issuer
from tests.simulators.signed_pdfs import Pki, blank_pdf, sign_pdf


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


def test_pem_and_der_are_read(issuer: Issuer, tmp_path: Path) -> None:
    der = issuer.crl().dump()
    armoured, plain = tmp_path / "a.pem", tmp_path / "b.crl"
    armoured.write_bytes(pem.armor("X509 CRL", der) * 2)
    plain.write_bytes(der)
    assert [one.dump() for one in read_crls([armoured, plain])] == [der] * 3


@pytest.mark.parametrize("content", [b"", b"junk", b"\x30\x03\x02\x01\x05", b"certificate", None])
def test_a_file_without_a_list_is_refused(issuer: Issuer, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.crl"
    if content is not None:
        path.write_bytes(
            pem.armor("CERTIFICATE", issuer.certificate.dump()) if content == b"certificate" else content
        )
    with pytest.raises(UsageRefused, match="revocation list") as refused:
        read_crls([path])
    assert refused.value.zh


def test_too_many_lists_are_refused(issuer: Issuer, tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    path.write_bytes(pem.armor("X509 CRL", issuer.crl().dump()) * (MAX_CRLS + 1))
    with pytest.raises(UsageRefused, match=str(MAX_CRLS)):
        read_crls([path])


def test_verify_looks_into_them(issuer: Issuer, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    bidder = issuer.issue(lifetime=timedelta(days=4000))
    signed = sign_pdf(
        blank_pdf(tmp_path / "a.pdf"),
        tmp_path / "b.pdf",
        Pki(),
        identity=bidder,
        timestamp=issuer.authority(),
    )
    root, lists = tmp_path / "root.pem", tmp_path / "list.crl"
    root.write_bytes(pem.armor("CERTIFICATE", issuer.certificate.dump()))
    (without,) = verify_files([signed], root)["files"]
    assert (without["indication"], without["sub_indication"]) == ("INDETERMINATE", "TRY_LATER")
    lists.write_bytes(issuer.crl(made_at=now - timedelta(hours=1)).dump())
    (with_list,) = verify_files([signed], root, [lists])["files"]
    assert "revocation-not-checked" not in {
        cause["code"] for one in with_list["signatures"] for cause in one["causes"]
    }


def test_the_line_takes_them_from_the_settings(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.crl"
    path.write_bytes(issuer.crl().dump())
    monkeypatch.setenv("SEALINE_CRLS", f"{path}, {path}")
    settings = read_settings({"home": tmp_path / "home"})
    assert settings.crls == (path, path)
    with App(settings) as app:
        assert len(app.trust.crls) == 2
