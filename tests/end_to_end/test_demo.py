"""`make demo`'s own run: what it makes holds before other people's tools."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from asn1crypto import cms
from PIL import Image

from tests.end_to_end.conftest import Sealine


def test_the_demo_tells_every_file_it_made(demo: dict[str, Any]) -> None:
    paths = [seal["image"] for seal in demo["seals"]] + [file["path"] for file in demo["signed"]]
    paths += [demo["ca"], demo["evidence"], demo["form"]]
    assert len(demo["seals"]) == 2
    assert len(demo["signed"]) == 3
    assert all(Path(path).stat().st_size > 0 for path in paths)


def test_the_demos_seals_are_true_to_size(demo: dict[str, Any]) -> None:
    company, representative = (Image.open(seal["image"]) for seal in demo["seals"])
    for image in (company, representative):
        assert image.size == (1400, 1400)
        assert image.mode == "RGBA"
        assert image.info["dpi"] == pytest.approx((508, 508), abs=0.01)
    x0, y0, x1, y1 = company.getchannel("A").point(lambda value: 255 * (value > 96)).getbbox()
    assert ((x1 - x0) / 20, (y1 - y0) / 20) == pytest.approx((42, 42), abs=0.4)


def test_every_signed_file_of_the_demo_is_verified(demo: dict[str, Any]) -> None:
    for file in demo["signed"]:
        assert file["indication"] == "TOTAL-PASSED"
        (signature,) = file["signatures"]
        lamps = [signature[name] for name in ("integrity", "identity", "trust", "time")]
        assert lamps == ["passed"] * 4
        assert signature["tryout"] is True
        assert "tryout" in {cause["code"] for cause in signature["causes"]}


def test_the_evidence_taken_out_again_is_verified(demo: dict[str, Any]) -> None:
    assert demo["archived"]["verdict"]["indication"] == "TOTAL-PASSED"
    assert demo["archived"]["verdict"]["events"] > 0


def test_the_original_is_a_prefix_of_the_signed_file(demo: dict[str, Any]) -> None:
    for file in demo["signed"]:
        original = (Path(demo["package"]) / file["file"]).read_bytes()
        assert Path(file["path"]).read_bytes().startswith(original)


def test_the_demo_again_makes_nothing_twice(demo: dict[str, Any], sealine: Sealine) -> None:
    def digests() -> list[str]:
        return [hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() for file in demo["signed"]]

    before = digests()
    again = sealine("--home", demo["home"], "demo", "-o", demo["out"], "--json")
    assert again.code == 0, again.stderr
    assert digests() == before
    assert [seal["id"] for seal in again.json["seals"]] == [seal["id"] for seal in demo["seals"]]
    assert again.json["archived"]["id"] == demo["archived"]["id"]


@pytest.mark.needs_qpdf
def test_qpdf_finds_nothing_wrong(demo: dict[str, Any]) -> None:
    for file in demo["signed"]:
        subprocess.run(["qpdf", "--check", file["path"]], check=True, capture_output=True)


@pytest.mark.needs_poppler
def test_pdfsig_says_valid_with_the_ca_supplied(demo: dict[str, Any], tmp_path: Path) -> None:
    database = f"sql:{tmp_path}"
    subprocess.run(["certutil", "-N", "-d", database, "--empty-password"], check=True)
    subprocess.run(
        ["certutil", "-A", "-d", database, "-n", "root", "-t", "C,C,C", "-i", demo["ca"]], check=True
    )
    for file in demo["signed"]:
        said = subprocess.run(
            ["pdfsig", "-nssdir", database, file["path"]], check=True, capture_output=True, text=True
        ).stdout
        assert "Signature is Valid." in said
        assert "Certificate is Trusted." in said
        assert "Total document signed" in said


def _signature(path: str) -> tuple[bytes, bytes]:
    """Return the CMS of a file's last signature and the bytes it covers."""
    data = Path(path).read_bytes()
    with pikepdf.open(path) as pdf:
        value = pdf.Root.AcroForm.Fields[-1].V
        ranges = [int(number) for number in value.ByteRange]
        contents = bytes(value.Contents)
    covered = data[: ranges[1]] + data[ranges[2] : ranges[2] + ranges[3]]
    return contents, covered


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.mark.needs_openssl
def test_openssl_accepts_signature_and_token(demo: dict[str, Any], tmp_path: Path) -> None:
    for file in demo["signed"]:
        contents, covered = _signature(file["path"])
        info = cms.ContentInfo.load(contents)
        (tmp_path / "cms.der").write_bytes(info.dump())
        (tmp_path / "covered").write_bytes(covered)
        content = ("-content", tmp_path / "covered", "-out", tmp_path / "out")
        trust = ("-CAfile", demo["ca"], "-purpose", "any")
        _openssl(
            "cms",
            "-verify",
            "-cades",
            "-binary",
            "-inform",
            "DER",
            "-in",
            tmp_path / "cms.der",
            *content,
            *trust,
        )
        signer = info["content"]["signer_infos"][0]
        (token,) = [
            attribute["values"][0]
            for attribute in signer["unsigned_attrs"]
            if attribute["type"].dotted == "1.2.840.113549.1.9.16.2.14"
        ]
        (tmp_path / "token.der").write_bytes(token.dump())
        (tmp_path / "imprint").write_bytes(signer["signature"].native)
        data = ("-data", tmp_path / "imprint", "-CAfile", demo["ca"])
        _openssl("ts", "-verify", "-token_in", "-in", tmp_path / "token.der", *data)
