"""Each mark of a signed file has the one carrier that its signatures leave it, or is refused."""

from dataclasses import replace

import pytest

from stages.documents import (
    AfterOthers,
    DocMDP,
    ExistingSignature,
    FieldKind,
    FormField,
    InspectedDocument,
    Mark,
    PageGeometry,
    Strip,
)
from stages.errors import PlacementRefused
from stages.pdf.carriers import Carriers, carriers_of, field_name

A4 = PageGeometry((0, 0, 595.28, 841.89), 0, 1.0, 210.0, 297.0)
FIELD = FormField("盖章", FieldKind.SIGNATURE, 0, 20, 30, 60, 50, is_filled=False)
INSIDE = Mark(0, "公章", 25, 32, 42, 42, 0, field="盖章")
FREE = Mark(0, "公章", 100, 200, 42, 42, 0)
ELSEWHERE = Mark(2, "公章", 100, 200, 42, 42, 0)
STRIP = Mark(1, "公章", 200, 100, 10, 42, 0, Strip("right", 0, 0.25))


def document(*levels: DocMDP | None, fields: tuple[FormField, ...] = (FIELD,)) -> InspectedDocument:
    signatures = tuple(ExistingSignature(f"S{number}", level) for number, level in enumerate(levels))
    return InspectedDocument("0" * 64, (A4,) * 3, signatures, fields=fields)


def carried(inspected: InspectedDocument, *marks: Mark, choose: bool = False) -> Carriers:
    choice = AfterOthers.ANNOTATIONS if choose else AfterOthers.WIDGET
    return carriers_of("a.pdf", inspected, marks, after_others=choice)


def test_without_signatures_all_is_page_content() -> None:
    found = carried(document(), STRIP, FREE, ELSEWHERE)
    assert found == Carriers(content=(STRIP, FREE, ELSEWHERE), over=FREE)
    found = carried(document(), FREE, INSIDE)
    assert (found.content, found.field, found.over) == ((FREE, INSIDE), FIELD, INSIDE)


def test_after_approvals_the_widget_shows_one_page() -> None:
    assert carried(document(None, None), FREE, replace(FREE, x_mm=20)).widget[0] is FREE
    assert carried(document(None)) == Carriers()
    assert carried(document(None), INSIDE) == Carriers(widget=(INSIDE,), field=FIELD)
    for marks in ((FREE, ELSEWHERE), (INSIDE, FREE), (STRIP, FREE)):
        with pytest.raises(PlacementRefused, match="after_others: annotations"):
            carried(document(None), *marks)


def test_by_choice_other_pages_get_annotations_after_approvals() -> None:
    found = carried(document(None), STRIP, ELSEWHERE, FREE, choose=True)
    assert found == Carriers(widget=(ELSEWHERE,), annotations=(STRIP, FREE))
    found = carried(document(None), FREE, INSIDE, choose=True)
    assert found == Carriers(widget=(INSIDE,), annotations=(FREE,), field=FIELD)


def test_a_certification_for_annotations_gets_annotations_and_nothing_to_be_seen_of_ours() -> None:
    found = carried(document(DocMDP.FILL_SIGN_ANNOTATE, None), STRIP, FREE, ELSEWHERE)
    assert found == Carriers(annotations=(STRIP, FREE, ELSEWHERE))


@pytest.mark.parametrize("choose", [False, True])
def test_the_strictest_certification_holds_whatever_the_plan_chooses(choose: bool) -> None:
    forms = document(DocMDP.FILL_SIGN_ANNOTATE, DocMDP.FILL_AND_SIGN)
    assert carried(forms, INSIDE, choose=choose).widget == (INSIDE,)
    with pytest.raises(PlacementRefused, match="would break the certification"):
        carried(forms, FREE, choose=choose)
    with pytest.raises(PlacementRefused, match="nothing may be added"):
        carried(document(DocMDP.NO_CHANGES), INSIDE, choose=choose)


@pytest.mark.parametrize(
    "mark",
    [
        replace(INSIDE, x_mm=19.9),
        replace(INSIDE, y_mm=38.2),
        replace(INSIDE, page_index=1),
        replace(INSIDE, angle_deg=45.0),
    ],
)
def test_a_mark_that_leaves_its_field_is_refused_once_somebody_has_signed(mark: Mark) -> None:
    carried(document(), mark)
    with pytest.raises(PlacementRefused, match="not lie within"):
        carried(document(None), mark)


def test_a_field_whose_box_is_apart_from_it_shows_nothing_after_others() -> None:
    apart = replace(FIELD, is_field=False)
    assert carried(document(fields=(apart,)), INSIDE).field == apart
    with pytest.raises(PlacementRefused, match="an object apart") as caught:
        carried(document(None, fields=(apart,)), INSIDE)
    assert "两个对象" in caught.value.zh


def test_a_filled_field_and_one_that_takes_no_signature_are_only_places() -> None:
    for field in (replace(FIELD, is_filled=True), replace(FIELD, kind=FieldKind.TEXT)):
        assert carried(document(None, fields=(field,)), INSIDE) == Carriers(widget=(INSIDE,))


def test_our_own_field_gets_the_first_free_name() -> None:
    taken = replace(
        document(), signatures=(ExistingSignature("Signature1", None),), taken_names=("Signature2",)
    )
    assert field_name(taken) == "Signature3"
    assert field_name(document()) == "Signature1"
    assert field_name(taken, FIELD) == "盖章"
