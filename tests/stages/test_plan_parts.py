"""Rules meant for a part of the package; a file belongs to one part at most."""

from pathlib import Path

import pytest

from stages.documents import SealFace
from stages.errors import PlacementRefused, PlanRefused
from stages.plan_fit import check_rules_used
from stages.plan_rules import parse_plan
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind
from tests.stages.plans import planned

PARTS = "parts: [{name: 商务标, files: 商务/*}, {name: 技术标, files: [技术/*, 图纸/*], 暗标: true}]"
BUSINESS = "{seal: 公章, pages: 1, x_mm: 50, y_mm: 50, part: 商务标}"
EVERYWHERE = "{seal: 法人章, pages: 1, x_mm: 50, y_mm: 50}"


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return pdfs.build(tmp_path / "a.pdf", [PageKind()])


def test_a_rule_for_a_part_reaches_its_files_only(sheet: Path, faces: dict[str, SealFace]) -> None:
    inside = planned(sheet, faces, BUSINESS, EVERYWHERE, extra=PARTS, name="商务/投标函.pdf")
    outside = planned(sheet, faces, BUSINESS, EVERYWHERE, extra=PARTS, name="资格.pdf")
    assert [mark.rule for mark in inside.marks] == [0, 1]
    assert [mark.rule for mark in outside.marks] == [1]
    assert not inside.anonymous


def test_no_rule_reaches_into_an_anonymous_part(sheet: Path, faces: dict[str, SealFace]) -> None:
    result = planned(sheet, faces, BUSINESS, EVERYWHERE, extra=PARTS, name="技术/方案.pdf")
    assert result.anonymous
    assert result.marks == ()
    assert any("rules[1] does not reach this file" in warning for warning in result.warnings)


def test_a_rule_that_names_an_anonymous_file_is_refused(sheet: Path, faces: dict[str, SealFace]) -> None:
    rule = "{seal: 公章, paging: right, files: [商务/*, 技术/方案*]}"
    with pytest.raises(PlanRefused, match=r"rules\[0\]\.files names a file of part 技术标") as caught:
        planned(sheet, faces, rule, extra=PARTS, name="技术/方案.pdf")
    assert "暗标不得盖章" in caught.value.zh


def test_a_file_in_two_parts_is_refused(sheet: Path, faces: dict[str, SealFace]) -> None:
    parts = 'parts: [{name: 甲, files: "*.pdf"}, {name: 乙, files: 技术/*}]'
    with pytest.raises(PlanRefused, match="belongs to two parts, 甲 and 乙"):
        planned(sheet, faces, EVERYWHERE, extra=parts, name="技术/方案.pdf")
    rules = parse_plan(f"version: 1\n{parts}\nrules: [{EVERYWHERE}]".encode())
    with pytest.raises(PlanRefused, match="belongs to two parts"):
        check_rules_used(rules, {("技术/方案.pdf",): (1,)})


def test_a_part_or_rule_without_any_file_is_refused() -> None:
    rules = parse_plan(f"version: 1\n{PARTS}\nrules: [{BUSINESS}, {EVERYWHERE}]".encode())
    check_rules_used(rules, {("商务/a.pdf",): (1, 1), ("图纸/b.pdf",): (0, 0)})
    with pytest.raises(PlacementRefused, match=r"part 技术标: no file .* matches 技术/\*、图纸/\*"):
        check_rules_used(rules, {("商务/a.pdf",): (1, 1)})


def test_where_every_file_is_anonymous_rules_may_be_empty_or_reach_no_file() -> None:
    part = "version: 1\nparts: [{name: 技术标, files: b*, 暗标: true}]\n"
    blind = parse_plan(f"{part}rules: [{EVERYWHERE}, {{seal: 公章, keyword: a, files: 商务/*}}]".encode())
    check_rules_used(blind, {("b.pdf", "b.docx"): (0, 0)})
    check_rules_used(blind, {("x.pdf", "b.docx"): (0, 0)})  # the part knows a converted file by its old name
    check_rules_used(parse_plan(part.encode()), {("b.pdf",): ()})
    with pytest.raises(PlacementRefused, match=r"rules\[1\]: no file of the package matches 商务/\*"):
        check_rules_used(blind, {("b.pdf",): (0, 0), ("a.pdf",): (1, 0)})
    with pytest.raises(PlanRefused, match="rules: a plan without an anonymous part has one rule") as caught:
        parse_plan(b"version: 1\nparts: [{name: a, files: b*}]")
    assert "至少要有一条规则" in caught.value.zh


def test_an_anonymous_part_is_signed_invisibly_by_choice_and_the_certificate_is_warned_of(
    sheet: Path, faces: dict[str, SealFace]
) -> None:
    part = "parts: [{name: 技术标, files: 技术/*, 暗标: true, signature: %s}]"
    result = planned(sheet, faces, EVERYWHERE, extra=part % "invisible", name="技术/方案.pdf")
    assert (result.anonymous, result.signed_invisibly, result.marks) == (True, True, ())
    assert "the certificate in the file says whose it is" in "\n".join(result.warnings)
    plain = planned(sheet, faces, EVERYWHERE, extra=part % "none", name="技术/方案.pdf")
    assert (plain.anonymous, plain.signed_invisibly) == (True, False)
    with pytest.raises(PlanRefused, match=r"parts\[0\]\.signature: only an anonymous part") as caught:
        planned(sheet, faces, EVERYWHERE, extra="parts: [{name: a, files: b*, signature: invisible}]")
    assert "只有暗标部分" in caught.value.zh
