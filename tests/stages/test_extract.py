"""Seals lifted off scans with known truth: at their true size, or as previews when no scale is known."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest
from PIL import Image

import stages.extract as module
from pipeline.tryout.artwork import draw_round_seal, draw_square_seal
from pipeline.tryout.specimens import SpecimenPage, draw_filled_form, draw_specimen_page
from seal_imaging import (
    Impression,
    ImpressionUnusable,
    InkChoice,
    InkColour,
    Reason,
    RgbaImage,
    SealShape,
    compose,
)
from stages import impression_pool
from stages.errors import InputRefused
from stages.extract import ExtractedSeals, ExtractOptions, extract, extraction_json
from stages.ingest import ScannedPage, read_scan
from stages.make import SealKind, make
from stages.seal_images import png_px_per_metre
from tests.stages.test_make import MADE_AT, ORDER, maker_of

COMPANY = "测试建设有限公司"
PX_PER_MM = 200 / 25.4


@pytest.fixture(scope="module")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="module")
def specimen(font: bytes) -> SpecimenPage:
    """A small sheet with three impressions of a round and of a square seal."""
    seals = [draw_round_seal(COMPANY, font), draw_square_seal("张三之印", font)]
    return draw_specimen_page(
        seals, rng=np.random.default_rng(3), font=font, px_per_mm=PX_PER_MM, page_mm=(180, 90)
    )


def pages_of(specimen: SpecimenPage, *, px_per_mm: float | None) -> list[ScannedPage]:
    return [ScannedPage(0, specimen.page, px_per_mm, "unknown" if px_per_mm is None else "dpi")]


@pytest.fixture(scope="module")
def scaled(specimen: SpecimenPage, tmp_path_factory: pytest.TempPathFactory) -> ExtractedSeals:
    return extract(pages_of(specimen, px_per_mm=specimen.px_per_mm), tmp_path_factory.mktemp("scaled"))


@pytest.fixture(scope="module")
def unscaled(specimen: SpecimenPage, tmp_path_factory: pytest.TempPathFactory) -> ExtractedSeals:
    return extract(pages_of(specimen, px_per_mm=None), tmp_path_factory.mktemp("unscaled"))


def test_every_impression_is_found_once_and_cut_out_of_its_page(
    specimen: SpecimenPage, scaled: ExtractedSeals
) -> None:
    assert len(scaled.impressions) == len(specimen.truths)
    assert [one.index for one in scaled.impressions] == list(range(len(specimen.truths)))
    for one in scaled.impressions:
        x, y, w, h = one.box_px
        with Image.open(one.image) as picture:
            assert (picture.mode, picture.size) == ("RGBA", (w, h))
            pixels = np.asarray(picture)
        assert (pixels[:, :, :3] == specimen.page[y : y + h, x : x + w]).all()
        assert png_px_per_metre(one.image.read_bytes()) == (7874, 7874)


def test_each_seal_is_fused_of_its_three_impressions_at_its_true_size(scaled: ExtractedSeals) -> None:
    assert [(seal.shape, len(seal.members)) for seal in scaled.seals] == [
        (SealShape.CIRCLE, 3),
        (SealShape.SQUARE, 3),
    ]
    assert sorted(index for seal in scaled.seals for index in seal.members) == list(range(6))
    for seal, side_mm in zip(scaled.seals, (42.0, 20.0), strict=True):
        assert seal.true_to_size
        assert seal.size_mm is not None
        assert max(abs(side - side_mm) for side in seal.size_mm) < 0.6
        assert seal.ink_box_mm[2:] == pytest.approx(seal.size_mm, abs=0.6)
        with Image.open(seal.image) as picture:
            assert (picture.mode, picture.size) == ("RGBA", (1400, 1400))
        assert png_px_per_metre(seal.image.read_bytes()) == (20000, 20000)


def test_an_extracted_seal_is_one_that_make_takes(scaled: ExtractedSeals, tmp_path: Path) -> None:
    maker = maker_of()
    for seal, kind in zip(scaled.seals, (SealKind.OFFICIAL, SealKind.LEGAL_REPRESENTATIVE), strict=True):
        made = make(
            seal.image,
            replace(ORDER, kind=kind),
            maker,
            made_at=MADE_AT,
            certificates=[maker.certificate],
            scratch=tmp_path,
        )
        assert made.ink_box_mm == seal.ink_box_mm


def test_without_a_scale_a_seal_is_only_a_preview_that_make_refuses(
    unscaled: ExtractedSeals, tmp_path: Path
) -> None:
    maker = maker_of()
    assert len(unscaled.seals) == 2
    for seal in unscaled.seals:
        assert (seal.size_mm, seal.true_to_size) == (None, False)
        assert Reason.SCALE_UNKNOWN in seal.reasons
        assert png_px_per_metre(seal.image.read_bytes()) is None
        with Image.open(seal.image) as picture:
            assert picture.size == (1400, 1400)
        with pytest.raises(InputRefused, match="pHYs"):
            make(
                seal.image,
                ORDER,
                maker,
                made_at=MADE_AT,
                certificates=[maker.certificate],
                scratch=tmp_path,
            )
    for one in unscaled.impressions:
        assert one.size_mm is None
        assert png_px_per_metre(one.image.read_bytes()) is None


def test_a_preview_is_as_large_as_such_seals_usually_are(unscaled: ExtractedSeals) -> None:
    for seal, side_mm in zip(unscaled.seals, (42.0, 20.0), strict=True):
        assert max(seal.ink_box_mm[2:]) == pytest.approx(side_mm, abs=0.6)


def test_images_are_drawn_in_the_colour_asked_for_and_seals_keep_the_one_measured(
    specimen: SpecimenPage, tmp_path: Path
) -> None:
    asked = ExtractOptions(ink=InkChoice.NATURAL, colour=InkColour.BLUE)
    pages = pages_of(specimen, px_per_mm=specimen.px_per_mm)
    for seal in extract(pages, tmp_path, options=asked).seals:
        assert seal.colour is InkColour.RED
        pixels = np.asarray(Image.open(seal.image))
        red, _, blue = np.median(pixels[pixels[..., 3] > 200][:, :3], axis=0)
        assert blue > red + 60


def test_a_stated_width_sizes_the_widest_seal_and_no_other(specimen: SpecimenPage, tmp_path: Path) -> None:
    seals = extract(pages_of(specimen, px_per_mm=None), tmp_path, options=ExtractOptions(width_mm=40.0)).seals
    round_seal, square_seal = seals
    assert round_seal.true_to_size
    assert round_seal.size_mm is not None
    assert round_seal.size_mm[0] == 40.0
    assert Reason.SCALE_UNKNOWN not in round_seal.reasons
    assert round_seal.ink_box_mm[2] == pytest.approx(40.0, abs=0.6)
    assert png_px_per_metre(round_seal.image.read_bytes()) == (20000, 20000)
    assert not square_seal.true_to_size


@pytest.mark.parametrize("width_mm", [0.0, -3.0, 4.9, 70.0, float("nan"), float("inf")])
def test_a_width_no_seal_has_is_refused(specimen: SpecimenPage, tmp_path: Path, width_mm: float) -> None:
    with pytest.raises(InputRefused) as caught:
        extract(pages_of(specimen, px_per_mm=None), tmp_path, options=ExtractOptions(width_mm=width_mm))
    assert caught.value.zh


def test_the_marks_of_our_form_give_the_scale_a_file_does_not_state(font: bytes, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    form = draw_filled_form("AC1", [draw_round_seal(COMPANY, font)], rng, font, px_per_mm=PX_PER_MM)
    path = tmp_path / "scan.png"
    Image.fromarray(form.page).save(path)
    extracted = extract(read_scan(path), tmp_path)
    (seal,) = extracted.seals
    assert seal.true_to_size
    assert seal.size_mm == pytest.approx((42.0, 42.0), abs=0.6)
    assert Reason.FEWER_THAN_THREE not in seal.reasons


def test_pages_are_taken_one_at_a_time_and_joined_into_one_seal(
    specimen: SpecimenPage, font: bytes, tmp_path: Path
) -> None:
    seal = draw_round_seal(COMPANY, font)
    written: list[int] = []

    def pages() -> Iterator[ScannedPage]:
        for page_index in range(3):
            written.append(len(list(tmp_path.glob("impression-*.png"))))
            drawn = draw_specimen_page(
                [seal],
                rng=np.random.default_rng(page_index),
                font=font,
                page_mm=(60, 60),
                px_per_mm=PX_PER_MM,
                copies=1,
            )
            yield ScannedPage(page_index, drawn.page, drawn.px_per_mm, "dpi")

    extracted = extract(pages(), tmp_path)
    assert written == [0, 1, 2]
    assert [one.page_index for one in extracted.impressions] == [0, 1, 2]
    assert [sorted(one.members) for one in extracted.seals] == [[0, 1, 2]]


def test_fewer_than_three_impressions_are_said_and_not_refused(font: bytes, tmp_path: Path) -> None:
    drawn = draw_specimen_page(
        [draw_round_seal(COMPANY, font)],
        rng=np.random.default_rng(1),
        font=font,
        page_mm=(60, 60),
        px_per_mm=PX_PER_MM,
        copies=1,
    )
    (seal,) = extract(pages_of(drawn, px_per_mm=drawn.px_per_mm), tmp_path).seals
    assert Reason.FEWER_THAN_THREE in seal.reasons


def test_a_scan_without_an_impression_is_unusable_and_names_its_pages(tmp_path: Path) -> None:
    blank = np.full((400, 300, 3), 250, dtype=np.uint8)
    pages = [ScannedPage(index, blank, 11.8, "dpi") for index in range(2)]
    with pytest.raises(ImpressionUnusable, match="pages 1 to 2") as caught:
        extract(pages, tmp_path)
    assert caught.value.zh
    with pytest.raises(ImpressionUnusable):
        extract([], tmp_path)


def test_a_page_the_reader_refuses_is_named(tmp_path: Path) -> None:
    speck = np.full((4, 4, 3), 250, dtype=np.uint8)
    with pytest.raises(ImpressionUnusable, match="page 8") as caught:
        extract([ScannedPage(7, speck, None, "unknown")], tmp_path)
    assert caught.value.zh.startswith("第 8 页")


def test_too_many_impressions_are_refused(
    specimen: SpecimenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impression_pool, "MAX_IMPRESSIONS", 2)
    monkeypatch.setattr(impression_pool, "MAX_KEPT_OF_A_SEAL", 1)
    with pytest.raises(InputRefused, match="more impressions than 2 of different seals"):
        extract(pages_of(specimen, px_per_mm=specimen.px_per_mm), tmp_path)


def test_a_seal_that_cannot_be_drawn_costs_only_itself(
    specimen: SpecimenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {SealShape.CIRCLE}

    def compose_some(impression: Impression, px_per_mm: float, **_: Any) -> RgbaImage:
        if impression.shape in refused:
            raise ImpressionUnusable("larger than the canvas", zh="超过画布")
        return compose(impression, px_per_mm)

    monkeypatch.setattr(module, "compose", compose_some)
    pages = pages_of(specimen, px_per_mm=specimen.px_per_mm)
    extracted = extract(pages, tmp_path)
    assert [(seal.shape, seal.image.name) for seal in extracted.seals] == [(SealShape.SQUARE, "seal-00.png")]
    assert len(extracted.impressions) == 6
    refused.add(SealShape.SQUARE)
    with pytest.raises(ImpressionUnusable, match="larger than the canvas"):
        extract(pages, tmp_path)


def test_a_group_whose_members_prove_different_gives_each_its_own_seal(
    specimen: SpecimenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impression_pool, "group_impressions", lambda found, **_: [tuple(range(len(found)))])
    extracted = extract(pages_of(specimen, px_per_mm=specimen.px_per_mm), tmp_path)
    assert [seal.members for seal in extracted.seals] == [(index,) for index in range(6)]


def test_impressions_let_go_stay_with_the_best_when_their_group_falls_apart(
    specimen: SpecimenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impression_pool, "group_impressions", lambda found, **_: [tuple(range(len(found)))])
    monkeypatch.setattr(impression_pool, "MAX_IMPRESSIONS", 5)
    monkeypatch.setattr(impression_pool, "MAX_KEPT_OF_A_SEAL", 2)
    extracted = extract(pages_of(specimen, px_per_mm=specimen.px_per_mm), tmp_path)
    assert [seal.members for seal in extracted.seals] == [(0, 2, 3, 4), (1,), (5,)]


def test_the_same_page_gives_the_same_files(
    specimen: SpecimenPage, scaled: ExtractedSeals, tmp_path: Path
) -> None:
    again = extract(pages_of(specimen, px_per_mm=specimen.px_per_mm), tmp_path)
    for one, other in zip(scaled.seals + scaled.impressions, again.seals + again.impressions, strict=True):
        assert one.image.name == other.image.name
        assert one.image.read_bytes() == other.image.read_bytes()


def test_the_json_form_has_the_documented_fields_and_no_others(scaled: ExtractedSeals) -> None:
    document: dict[str, Any] = json.loads(json.dumps(extraction_json(scaled)))
    assert set(document) == {"pages", "impressions", "seals"}
    for page in document["pages"]:
        assert set(page) == {
            "page", "kind", "scale_source", "px_per_mm", "turn_deg", "order", "form", "rows", "impressions",
            "notes",
        }  # fmt: skip
    for one in document["impressions"]:
        assert set(one) == {
            "index", "page", "box_px", "row", "column", "size_mm", "shape", "angle_deg", "colour", "quality",
            "advice", "image",
        }  # fmt: skip
        assert set(one["quality"]) == {
            "score", "outline", "coverage", "sharpness", "foreign_ink", "smear", "double", "glare",
            "sectors", "reasons",
        }  # fmt: skip
        assert one["page"] == 1
        assert Path(one["image"]).is_file()
    for seal in document["seals"]:
        assert set(seal) == {
            "members", "row", "size_mm", "shape", "colour", "image", "sources", "true_to_size", "text",
            "reasons", "advice",
        }  # fmt: skip
        assert len(seal["size_mm"]) == 2


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("page_sealcut.png", [SealShape.CIRCLE, SealShape.CIRCLE, SealShape.SQUARE]),
        ("page_vapril3.png", [SealShape.CIRCLE]),
    ],
)
def test_real_pages_give_the_seals_that_are_on_them(
    shared: Path, tmp_path: Path, name: str, shapes: list[SealShape]
) -> None:
    extracted = extract(read_scan(shared / "real" / name), tmp_path)
    assert [seal.shape for seal in extracted.seals] == shapes
    assert not any(seal.true_to_size for seal in extracted.seals)
