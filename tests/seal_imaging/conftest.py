"""Seals and pages drawn once for all tests of this room."""

from collections.abc import Callable

import numpy as np
import pymupdf
import pytest

from pipeline.tryout.artwork import (
    PURPLE,
    Artwork,
    draw_oval_seal,
    draw_rectangle_seal,
    draw_round_seal,
    draw_square_seal,
)
from pipeline.tryout.specimens import CLEAN, PageLook, SpecimenPage, draw_specimen_page

Draw = Callable[..., SpecimenPage]


@pytest.fixture(scope="session")
def font() -> bytes:
    return bytes(pymupdf.Font("cjk").buffer)


@pytest.fixture(scope="session")
def round_seal(font: bytes) -> Artwork:
    return draw_round_seal("江南示例建设工程有限公司", font, code="3201040012345")


@pytest.fixture(scope="session")
def other_round_seal(font: bytes) -> Artwork:
    return draw_round_seal("塞北虚构路桥集团有限公司", font)


@pytest.fixture(scope="session")
def finance_seal(font: bytes) -> Artwork:
    return draw_round_seal("江南示例建设有限公司", font, diameter_mm=38.0, bottom_text="财务专用章")


@pytest.fixture(scope="session")
def oval_seal(font: bytes) -> Artwork:
    return draw_oval_seal("中华人民共和国注册建造师", font, lines=("张三示例", "苏132000000001"))


@pytest.fixture(scope="session")
def purple_seal(font: bytes) -> Artwork:
    return draw_oval_seal("注册监理工程师", font, lines=("李四示例",), size_mm=(44.0, 29.0), ink_rgb=PURPLE)


@pytest.fixture(scope="session")
def square_seal(font: bytes) -> Artwork:
    return draw_square_seal("张三之印", font)


@pytest.fixture(scope="session")
def rectangle_seal(font: bytes) -> Artwork:
    return draw_rectangle_seal(("一级注册结构工程师", "姓名 李四", "编号 3200001-S001"), font)


@pytest.fixture(scope="session")
def draw(font: bytes) -> Draw:
    """Draw a sheet of impressions; a seed and a look say how."""

    def drawn(
        seals: list[Artwork], *, seed: int = 1, look: PageLook = CLEAN, dpi: float = 300, copies: int = 3
    ) -> SpecimenPage:
        page_mm = (70.0 * copies, 12.0 + sum(seal.size_mm[1] + 0.3 * seal.size_mm[0] + 6 for seal in seals))
        return draw_specimen_page(
            seals,
            rng=np.random.default_rng(seed),
            font=font,
            px_per_mm=dpi / 25.4,
            look=look,
            copies=copies,
            page_mm=page_mm,
        )

    return drawn
