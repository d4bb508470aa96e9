"""Real scans and real tender forms through the command line, where they are at hand."""

from collections import Counter
from pathlib import Path
from typing import Any

import pikepdf
import pymupdf
import pytest

from tests.end_to_end.conftest import Sealine

pytestmark = pytest.mark.needs_shared

PLAN = """
version: 1
rules:
  - {seal: 公章, keyword: （盖单位章）, files: "bt10*.pdf"}
  - {seal: 公章, paging: right}
"""


def _extract(sealine: Sealine, home: Path, scan: Path, out: Path) -> dict[str, Any]:
    ran = sealine("--home", home, "seal", "extract", scan, "-o", out, "--json")
    assert ran.code == 0, ran.stderr
    document: dict[str, Any] = ran.json
    return document


def test_a_sheet_with_three_seals_gives_three_seals(
    shared: Path, home: Path, tmp_path: Path, sealine: Sealine
) -> None:
    found = _extract(sealine, home, shared / "real" / "page_sealcut.png", tmp_path)
    assert Counter(seal["shape"] for seal in found["seals"]) == {"circle": 2, "square": 1}
    assert {seal["true_to_size"] for seal in found["seals"]} == {False}, "its scale is not known"
    assert all(Path(seal["image"]).is_file() for seal in found["seals"])


def test_a_form_with_table_and_text_gives_its_one_seal(
    shared: Path, home: Path, tmp_path: Path, sealine: Sealine
) -> None:
    found = _extract(sealine, home, shared / "real" / "page_vapril3.png", tmp_path)
    assert [impression["shape"] for impression in found["impressions"]] == ["circle"]
    x, y, w, h = found["impressions"][0]["box_px"]
    assert x <= 700 < 900 <= x + w
    assert y <= 1100 < 1300 <= y + h
    assert 200 < w < 300
    assert 200 < h < 300


def test_a_seal_of_unknown_size_is_not_made(
    shared: Path, home: Path, tmp_path: Path, sealine: Sealine
) -> None:
    found = _extract(sealine, home, shared / "real" / "page_vapril3.png", tmp_path)
    image = found["seals"][0]["image"]
    ran = sealine("--home", home, "seal", "make", image, "--name", "学校章", "--owner", "某学校")
    assert ran.code == 10


def test_model_tender_forms_come_out_archived(
    shared: Path, home: Path, tmp_path: Path, sealine: Sealine
) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(PLAN, encoding="utf-8")
    package = tmp_path / "package"
    package.mkdir()
    for source in (shared / "bids").glob("*.pdf"):
        (package / source.name).write_bytes(source.read_bytes())
    planned = sealine("--home", home, "bid", "plan", package, "--plan", plan, "--dry-run", "--json")
    marks = Counter((mark["file"][:4], mark["strip"] is None) for mark in planned.json["marks"])
    assert marks[("bt10", True)] == 18
    assert (marks[("bt10", False)], marks[("bt12", False)], marks[("bt14", False)]) == (100, 70, 26)
    out = tmp_path / "out"
    signed = sealine("--home", home, "bid", "sign", package, "--plan", plan, "-o", out, "--json")
    assert signed.code == 0, signed.stderr
    for file in signed.json["files"]:
        original = (package / file["file"]).read_bytes()
        assert file["state"] == "archived"
        assert Path(file["output"]).read_bytes().startswith(original)
        _every_page_is_stamped(Path(file["output"]))
    verdict = sealine("verify", *out.glob("*.pdf"), "--trust", home / "pki" / "ca.pem", "--json")
    assert verdict.code == 0
    assert {file["indication"] for file in verdict.json["files"]} == {"TOTAL-PASSED"}


def _every_page_is_stamped(path: Path) -> None:
    """Check that red ink lies on the right edge of each page, where there was none."""
    with pymupdf.open(path) as document, pikepdf.open(path) as pdf:
        assert len(document) == len(pdf.pages)
        for page in document:
            edge = pymupdf.Rect(page.rect.x1 - 8, page.rect.y0, page.rect.x1, page.rect.y1)
            pixels = page.get_pixmap(clip=edge, dpi=150)
            reds = sum(r > g + 60 for r, g in zip(pixels.samples[0::3], pixels.samples[1::3], strict=True))
            assert reds > 0, f"page {page.number + 1} of {path.name} has no strip"
