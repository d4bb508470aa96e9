"""Shaken seals: by choice, round ones only, the same in every run, always on the page."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from stages.documents import SealFace
from stages.errors import PlanRefused
from stages.jitter import is_round, shaken
from tests.simulators import pdfs
from tests.simulators.pdfs import PageKind
from tests.stages.plans import centre, planned

RULE = "{seal: 公章, pages: all, x_mm: 100, y_mm: 100, jitter: {angle_deg: 3, place_mm: 0.8}}"


def drawn(folder: Path, name: str, *, box: tuple[int, int, int, int], round_frame: bool) -> SealFace:
    image = Image.new("RGBA", (1400, 1400), (*pdfs.INK, 0))
    draw = ImageDraw.Draw(image)
    (draw.ellipse if round_frame else draw.rectangle)(box, outline=(*pdfs.INK, 255), width=20)
    draw.text((690, 690), "X", fill=(*pdfs.INK, 255))
    face = pdfs.seal_face(folder, name)
    image.save(face.image_path)
    x0, y0, x1, y1 = box
    size = ((x1 - x0 + 1) / 20, (y1 - y0 + 1) / 20)
    digest = hashlib.sha256(face.image_path.read_bytes()).hexdigest()
    return replace(face, image_sha256=digest, ink_box_mm=(x0 / 20, y0 / 20, *size))


def test_marks_are_turned_and_moved_the_same_in_every_run(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 20)
    marks = planned(path, faces, RULE).marks
    assert marks == planned(path, faces, RULE).marks
    assert len({mark.angle_deg for mark in marks}) > 10
    assert all(abs(mark.angle_deg) <= 3 for mark in marks)
    shifts = [complex(centre(mark)[0] - 100, centre(mark)[1] - 100) for mark in marks]
    assert all(abs(shift) <= 0.801 for shift in shifts)
    assert max(map(abs, shifts)) > 0.4
    assert all(mark.angle_deg == 0 for mark in planned(path, faces, RULE.replace("angle_deg: 3, ", "")).marks)


def test_a_seed_makes_marks_that_do_not_hang_on_the_bytes(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    one = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    other = pdfs.build(tmp_path / "b.pdf", [PageKind(content=b"% other")])
    plain = [planned(path, faces, RULE, name="n.pdf").marks for path in (one, other)]
    assert plain[0] != plain[1]
    seeded = [planned(path, faces, RULE, name="n.pdf", extra="seed: 7").marks for path in (one, other)]
    assert seeded[0] == seeded[1]
    assert seeded[0] != planned(one, faces, RULE, name="n.pdf", extra="seed: 8").marks


def test_two_marks_of_a_rule_on_a_page_are_shaken_differently(
    tmp_path: Path, faces: dict[str, SealFace]
) -> None:
    path = pdfs.text_pages(tmp_path / "a.pdf", [[(200, 200, "盖章"), (200, 500, "盖章")]])
    one, other = planned(path, faces, "{seal: 公章, keyword: 盖章, jitter: {angle_deg: 5}}").marks
    assert one.angle_deg != other.angle_deg


def test_a_seal_that_is_not_round_stays_upright(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()])
    faces["方章"] = drawn(tmp_path, "方章", box=(500, 500, 899, 899), round_frame=False)
    for name in ("方章", "法人章"):
        with pytest.raises(
            PlanRefused, match=rf"rules\[0\]\.jitter\.angle_deg: {name} is not round"
        ) as caught:
            planned(path, faces, RULE.replace("公章", name))
        assert "不是圆形章" in caught.value.zh
        moved = planned(path, faces, RULE.replace("公章", name).replace("angle_deg: 3, ", "")).marks[0]
        assert moved.angle_deg == 0
        assert centre(moved) != (100, 100)


def test_what_counts_as_round(tmp_path: Path, faces: dict[str, SealFace]) -> None:
    assert is_round(faces["公章"])
    assert is_round(drawn(tmp_path, "圆", box=(400, 400, 999, 989), round_frame=True))
    assert not is_round(drawn(tmp_path, "椭圆", box=(400, 400, 999, 799), round_frame=True))
    assert not is_round(drawn(tmp_path, "方", box=(400, 400, 999, 999), round_frame=False))


@given(st.text(max_size=8), st.floats(0, 180), st.floats(0, 10))
def test_shaking_keeps_within_its_bounds(seed: str, angle_deg: float, place_mm: float) -> None:
    angle, right, down = shaken(seed, angle_deg=angle_deg, place_mm=place_mm)
    assert abs(angle) <= angle_deg + 0.005
    assert (right**2 + down**2) ** 0.5 <= place_mm + 0.002
    assert (angle, right, down) == shaken(seed, angle_deg=angle_deg, place_mm=place_mm)


@pytest.mark.parametrize("corner", ["top_left", "bottom_right"])
def test_a_shaken_seal_stays_on_its_page(tmp_path: Path, faces: dict[str, SealFace], corner: str) -> None:
    path = pdfs.build(tmp_path / "a.pdf", [PageKind()] * 12)
    rule = f"{{seal: 公章, pages: all, x_mm: 21, y_mm: 21, from: {corner}, jitter: {{place_mm: 8}}}}"
    for mark in planned(path, faces, rule).marks:
        assert mark.x_mm >= 0
        assert mark.y_mm >= 0
        assert mark.x_mm + mark.w_mm <= 210.01
        assert mark.y_mm + mark.h_mm <= 297.01
