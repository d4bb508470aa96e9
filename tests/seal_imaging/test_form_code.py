"""The QR code of our form, read off scans and photographs of it, and what its text means."""

import cv2
import numpy as np
import pymupdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tryout.blank_form import draw_blank_form
from pipeline.tryout.specimens import photograph
from seal_imaging import form
from seal_imaging.form import FormCode, FormKind
from seal_imaging.form_code import read_code
from seal_imaging.impression import RgbImage
from seal_imaging.locate import find_form

ORDER = "AC2021111313"


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


def sheet(font: bytes, *, dpi: float, order: str = ORDER) -> RgbImage:
    light = draw_blank_form(form.SpecimenForm(order), font, px_per_mm=dpi / 25.4)
    return np.asarray(np.round(255 * light), np.uint8)


def code_on(page: RgbImage) -> FormCode | None:
    pose = find_form(page)
    assert pose is not None
    return read_code(page, pose)


@pytest.mark.parametrize("quarter_turns", range(4))
@pytest.mark.parametrize("dpi", [150, 300])
def test_the_code_is_read_whichever_way_the_page_lies(font: bytes, dpi: int, quarter_turns: int) -> None:
    page = np.ascontiguousarray(np.rot90(sheet(font, dpi=dpi), quarter_turns))
    assert code_on(page) == FormCode(ORDER)


@pytest.mark.parametrize("seed", range(4))
def test_the_code_is_read_off_a_photograph(font: bytes, seed: int) -> None:
    photo, _ = photograph(sheet(font, dpi=200), np.random.default_rng(seed))
    noisy = photo + np.random.default_rng(seed).normal(0, 5, photo.shape)
    assert code_on(np.clip(noisy, 0, 255).astype(np.uint8)) == FormCode(ORDER)


@settings(max_examples=15, deadline=None)
@given(order=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_every_order_number_is_read_at_150_dpi(order: str) -> None:
    page = sheet(bytes(pymupdf.Font("cjk").buffer), dpi=150, order=order)
    assert code_on(page) == FormCode(order)


def test_a_covered_code_says_nothing(font: bytes) -> None:
    page = sheet(font, dpi=150)
    x, y, w, h = (round(v * 150 / 25.4) for v in form.QR_BOX_MM)
    for fill in (255, 0, 120):
        page[y : y + h, x : x + w] = fill
        assert code_on(page) is None


def test_a_code_of_somebody_else_says_nothing(font: bytes) -> None:
    page = sheet(font, dpi=300)
    x, y, w, h = (round(v * 300 / 25.4) for v in form.QR_BOX_MM)
    foreign = cv2.QRCodeEncoder.create().encode("https://example.org/印章")
    page[y : y + h, x : x + w] = cv2.resize(foreign, (w, h), interpolation=cv2.INTER_NEAREST)[..., None]
    assert code_on(page) is None


@pytest.mark.parametrize("kind", FormKind)
@pytest.mark.parametrize("is_example", [False, True])
@pytest.mark.parametrize("order", [ORDER, "example", "company", "a-b.c_d"])
def test_the_text_of_the_code_says_order_kind_and_example(
    kind: FormKind, is_example: bool, order: str
) -> None:
    text = form.qr_text(order, kind=kind, is_example=is_example)
    assert form.read_qr_text(text) == FormCode(order, kind, is_example)


def test_the_code_of_forms_printed_before_there_were_kinds_still_reads() -> None:
    assert form.read_qr_text(f"sealine:form:{ORDER}") == FormCode(ORDER)


@pytest.mark.parametrize(
    "text",
    ["", "sealine:form:", "sealine:form:crown:AC1", "sealine:form:company:x:AC1", "sealine:form:company:"],
)
def test_other_texts_say_nothing(text: str) -> None:
    assert form.read_qr_text(text) is None


@pytest.mark.parametrize("hidden", range(4))
def test_three_of_the_four_marks_are_enough(font: bytes, hidden: int) -> None:
    page = sheet(font, dpi=200)
    _, x, y = form.MARKERS[hidden]
    side = form.MARKER_MM
    left, top, right, bottom = (round(v * 200 / 25.4) for v in (x - 2, y - 2, x + side + 2, y + side / 2))
    page[top:bottom, left:right] = 200
    pose = find_form(page)
    assert pose is not None
    assert pose.marks == 3
    assert pose.px_per_mm == pytest.approx(200 / 25.4, rel=1e-3)
    assert read_code(page, pose) == FormCode(ORDER)


def test_two_marks_are_not_enough(font: bytes) -> None:
    page = sheet(font, dpi=150)
    page[: round(26 * 150 / 25.4)] = 255
    assert find_form(page) is None


def test_three_marks_that_contradict_one_another_are_no_form(font: bytes) -> None:
    page = sheet(font, dpi=150)
    scale = 150 / 25.4
    _, x3, y3 = form.MARKERS[3]
    page[: round(26 * scale), round(185 * scale) :] = 255
    side = round(14 * scale)
    patch = page[round((y3 - 1) * scale) :, round((x3 - 1) * scale) :][:side, :side].copy()
    page[round((y3 - 1) * scale) :, round((x3 - 1) * scale) :][:side, :side] = 255
    turned = np.rot90(patch)
    page[round(120 * scale) :, round(90 * scale) :][: turned.shape[0], : turned.shape[1]] = turned
    assert find_form(page) is None


@pytest.mark.parametrize("row", form.ROWS, ids=lambda row: row.kind)
def test_every_box_is_known_by_its_middle_and_a_little_beside_it(row: form.FormRow) -> None:
    for column, (x, y, w, h) in enumerate(row.boxes):
        wanted = form.FormPlace(row.kind, column)
        assert form.place_of(x + w / 2, y + h / 2) == wanted
        assert form.place_of(x + w / 2, y + h + 0.4) == wanted


def test_beside_all_boxes_there_is_no_place() -> None:
    assert form.place_of(100, 25) is None
    assert form.place_of(100, 260) is None
    x, y, w, h = form.ROWS[0].boxes[0]
    assert form.place_of(x + w / 2, y + h / 2, kind=FormKind.SIGNATURE) is None


@pytest.mark.parametrize("kind", FormKind)
def test_the_fields_of_a_form_keep_out_of_its_rows(kind: FormKind) -> None:
    template = form.TEMPLATES[kind]
    assert [row.kind for row in form.rows_of(kind)] == list(template.rows)
    if template.fields_box_mm is not None:
        _, y, _, h = template.fields_box_mm
        for row in form.rows_of(kind):
            assert y + h <= row.y_mm or row.y_mm + row.h_mm <= y
