"""What a batch signer is told of a package: the true reason, of each file and before anything is signed."""

from datetime import timedelta
from pathlib import Path

import pymupdf
import pytest

from pipeline.bench import Workshop
from pipeline.clock import utc_now
from pipeline.seals import SealWish
from pipeline.slots import read_slot
from pipeline.wiring import App
from stages.errors import NotAnonymous, NothingToMark, PlacementRefused, PlanRefused
from stages.make import SealKind
from storage.errors import NotFound
from tests.pipeline.conftest import submit, write_pdf, write_seal_image


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


def test_a_seal_that_nobody_made_is_told_with_its_rule_and_those_there_are(
    app: App, plan: Path, tmp_path: Path
) -> None:
    plan.write_text("version: 1\nrules:\n  - {seal: 公張, keyword: 盖}\n", encoding="utf-8")
    with pytest.raises(NotFound, match=r"rules\[0\]: there is no seal 公張; known seals: .*公章") as caught:
        app.bids.dry_run(write_pdf(tmp_path / "两页.pdf"), plan, actor=app.actor)
    assert "rules[0]：没有名为“公張”的印章；现有印章：" in caught.value.zh


def test_a_keyword_looked_for_on_some_pages_only_is_told_with_them(
    app: App, plan: Path, tmp_path: Path
) -> None:
    plan.write_text(
        "version: 1\nrules:\n  - {seal: 公章, pages: 9, keyword: （盖单位章）}\n", encoding="utf-8"
    )
    with pytest.raises(PlacementRefused, match="on pages 9 found in none") as caught:
        app.bids.dry_run(write_pdf(tmp_path / "两页.pdf"), plan, actor=app.actor)
    assert "（只在 pages: 9 的页上查找）" in caught.value.zh


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


def test_the_day_a_seal_says_is_that_of_the_first_submission(
    app: App, plan: Path, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = SealWish("收文章", "示例公司", "", SealKind.OTHER, slots=(read_slot("日期=20,34,30,4"),))
    app.seals.make(write_seal_image(tmp_path / "other.png"), wish, actor=app.actor, key_uri=app.key_uri)
    rule = '{seal: 收文章, pages: 1, x_mm: 100, y_mm: 100, text: {日期: "{today:%Y-%m-%d}"}}'
    plan.write_text(f"version: 1\nrules: [{rule}]\n", encoding="utf-8")
    first = utc_now()
    monkeypatch.setattr(app.bids, "_clock", lambda: first)
    package_id = submit(app, package, plan)
    monkeypatch.setattr(app.bids, "_clock", lambda: first + timedelta(days=2))
    assert submit(app, package, plan) == package_id
    bench = Workshop(app.records, app.store, app.records.package(package_id), tmp_path)
    (said,) = bench.rules.rules[0].text.values()
    assert said == f"{first.astimezone():%Y-%m-%d}"
    (later, _) = app.bids.dry_run(package, plan, actor=app.actor).files
    assert later.planned is not None
    assert later.planned.marks[0].text == (("日期", f"{first.astimezone() + timedelta(days=2):%Y-%m-%d}"),)


def test_a_blind_file_must_not_name_the_owner_of_a_seal(app: App, plan: Path, tmp_path: Path) -> None:
    write_pdf(tmp_path / "package" / "技术" / "方案.pdf", "示例公司方案")
    write_pdf(tmp_path / "package" / "技术" / "附图.pdf", "附图")
    write_pdf(tmp_path / "package" / "商务" / "投标函.pdf", "示例公司")
    rule = "{seal: 公章, pages: last, x_mm: 100, y_mm: 100}"
    plan.write_text(
        f"version: 1\nparts: [{{name: 技术标, files: 技术/*, 暗标: true}}]\nrules: [{rule}]\n",
        encoding="utf-8",
    )
    business, named, clean = app.bids.dry_run(tmp_path / "package", plan, actor=app.actor).files
    assert business.planned is not None
    assert len(business.planned.marks) == 1
    assert isinstance(named.error, NotAnonymous)
    assert "示例公司 in text on page 1" in str(named.error)
    assert clean.planned is not None
    assert clean.planned.anonymous


def test_a_keyword_that_is_in_no_file_is_refused_with_what_is_most_like_it(app: App, tmp_path: Path) -> None:
    write_pdf(tmp_path / "package" / "a.pdf", "投标人（盖单位公章）")
    write_pdf(tmp_path / "package" / "b.pdf", "附图")
    rule = b"version: 1\nrules: [{seal: \xe5\x85\xac\xe7\xab\xa0, keyword: %s}]"
    plan = rule % "投标人（盖单位章）".encode()
    with pytest.raises(
        PlacementRefused, match=r"none of 2 files: .* did you mean .* on page 1 of a\.pdf"
    ) as caught:
        app.bids.dry_run(tmp_path / "package", plan, actor=app.actor)
    assert "盖单位公章" in caught.value.zh
