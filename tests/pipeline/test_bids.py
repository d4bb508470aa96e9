"""What a batch signer is told of a package: the true reason, of each file and before anything is signed."""

from pathlib import Path

import pymupdf
import pytest

from pipeline.wiring import App
from stages.errors import NothingToMark, PlacementRefused, PlanRefused
from tests.pipeline.conftest import write_pdf


def _small_page(path: Path) -> Path:
    document = pymupdf.open()
    document.new_page(width=60, height=60)
    document.save(path)
    return path


def test_a_page_smaller_than_the_seal_is_the_reason_given(app: App, plan: Path, tmp_path: Path) -> None:
    (looked,) = app.bids.dry_run(_small_page(tmp_path / "小.pdf"), plan, actor=app.actor).files
    assert isinstance(looked.error, PlacementRefused)
    assert not isinstance(looked.error, NothingToMark)
    assert "小.pdf: page 1 is 21.2 × 21.2 mm, too small for 公章" in str(looked.error)


def test_a_page_no_file_has_is_said_of_the_package(app: App, plan: Path, tmp_path: Path) -> None:
    plan.write_text(
        "version: 1\nrules:\n  - {seal: 公章, pages: 9, x_mm: 100, y_mm: 100}\n", encoding="utf-8"
    )
    with pytest.raises(PlacementRefused, match="pages 9 found in none of 1 files"):
        app.bids.dry_run(write_pdf(tmp_path / "两页.pdf"), plan, actor=app.actor)


def test_a_dry_run_refuses_what_signing_would(app: App, plan: Path, tmp_path: Path) -> None:
    plan.write_text("document_type: 购物清单\n" + plan.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(PlanRefused, match="购物清单"):
        app.bids.dry_run(write_pdf(tmp_path / "a.pdf"), plan, actor=app.actor)
