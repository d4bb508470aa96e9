"""Seals placed by form fields: on their widgets, never on a field that somebody has signed."""

from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pytest

from stages.documents import SealFace
from stages.errors import NothingToMark, PlacementRefused
from stages.plan_fit import check_rules_used
from stages.plan_rules import parse_plan
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind
from tests.stages.plans import centre, planned

BOX_PT = (72.0, 72.0, 272.0, 222.0)
MM = 25.4 / 72


def form(path: Path, fields: Sequence[tuple[str, int, bool]], *, pages: int = 2) -> Path:
    """Write a PDF with a signature field's widget, name, page and whether it is signed, for each entry."""
    pdfs.build(path, [PageKind()] * pages)
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        made: dict[str, pikepdf.Object] = {}
        for name, page_index, is_signed in fields:
            page = pdf.pages[page_index]
            box = pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                Rect=pikepdf.Array([*BOX_PT]),
                P=page.obj,
            )
            if [other for other, _, _ in fields].count(name) == 1:  # field and widget are one object
                widget = made[name] = pdf.make_indirect(box)
                widget.FT, widget.T = pikepdf.Name.Sig, pikepdf.String(name)
            else:
                made.setdefault(
                    name,
                    pdf.make_indirect(
                        pikepdf.Dictionary(FT=pikepdf.Name.Sig, T=pikepdf.String(name), Kids=pikepdf.Array())
                    ),
                )
                box.Parent = made[name]
                widget = pdf.make_indirect(box)
                made[name].Kids.append(widget)
            if is_signed:
                made[name].V = pikepdf.Dictionary(Type=pikepdf.Name.Sig, Contents=pikepdf.String(b"x"))
            page.obj.Annots = pikepdf.Array([*page.obj.get("/Annots", []), widget])
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([*made.values()]))
        pdf.save(path)
    return path


FIELDS = (("投标人盖章", 0, False), ("form1[0].法人[0]", 1, False), ("投标人盖章", 1, False))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return form(tmp_path / "a.pdf", FIELDS)


@pytest.fixture
def signed_sheet(tmp_path: Path) -> Path:
    return form(tmp_path / "a.pdf", [("投标人盖章", 0, False), ("监理", 0, True)])


def test_a_field_gets_the_seal_on_every_widget(sheet: Path, faces: dict[str, SealFace]) -> None:
    first, second = planned(sheet, faces, "{seal: 公章, field: 投标人盖章}").marks
    assert (first.page_index, second.page_index) == (0, 1)
    assert first.field == second.field == "投标人盖章"
    assert centre(first) == pytest.approx((172 * MM, (841.89 - 147) * MM), abs=0.01)


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("form1[0].法人[0]", ["form1[0].法人[0]"]),
        ('"*盖章"', ["投标人盖章"] * 2),
        ('"form1[?].*"', ["form1[0].法人[0]"]),
        ('["form1*", 投标人盖章]', ["投标人盖章", "投标人盖章", "form1[0].法人[0]"]),
    ],
)
def test_fields_are_named_in_full_or_by_pattern(
    sheet: Path, faces: dict[str, SealFace], field: str, found: list[str]
) -> None:
    quoted = field if field[0] in '["' else f"'{field}'"
    marks = planned(sheet, faces, f"{{seal: 公章, field: {quoted}}}").marks
    assert [mark.field for mark in marks] == found


def test_place_and_count_are_chosen_as_for_keywords(sheet: Path, faces: dict[str, SealFace]) -> None:
    rule = "{seal: 法人章, field: 投标人盖章, occurrence: last, anchor: right, offset_mm: [1, 2]}"
    (mark,) = planned(sheet, faces, rule).marks
    assert mark.page_index == 1
    assert centre(mark) == pytest.approx((272 * MM + 1, (841.89 - 147) * MM + 2), abs=0.01)
    assert len(planned(sheet, faces, "{seal: 法人章, field: 投标人盖章, skip_first: 1}").marks) == 1


def test_a_missing_field_is_refused_with_those_there_are(sheet: Path, faces: dict[str, SealFace]) -> None:
    with pytest.raises(NothingToMark, match=r"no form field 盖章 .*: 投标人盖章、form1") as caught:
        planned(sheet, faces, "{seal: 公章, field: 盖章, files: a*}")
    assert "投标人盖章、form1" in caught.value.zh
    with pytest.raises(NothingToMark, match="has 2 widgets, not 3"):
        planned(sheet, faces, "{seal: 公章, field: 投标人盖章, occurrence: 3, files: a*}")
    rules = parse_plan("version: 1\nrules: [{seal: 公章, field: 盖章}]".encode())
    with pytest.raises(PlacementRefused, match="field 盖章 found in none of 1 files"):
        check_rules_used(rules, {("a.pdf",): (0,)})


def test_a_signed_field_is_refused_and_passed_over_by_a_pattern(
    signed_sheet: Path, faces: dict[str, SealFace]
) -> None:
    with pytest.raises(NothingToMark, match="signed the field 监理; name an empty one: 投标人盖章"):
        planned(signed_sheet, faces, "{seal: 公章, field: 监理}")
    passed = planned(signed_sheet, faces, '{seal: 公章, field: "监*"}', extra="unmarked_files: allow")
    assert passed.marks == ()
    assert "监理 已有签名" in passed.warnings[0]
    result = planned(signed_sheet, faces, '{seal: 公章, field: "*", occurrence: 1}')
    assert [mark.field for mark in result.marks] == ["投标人盖章"]
    assert "监理 已有签名" in result.warnings[0]
