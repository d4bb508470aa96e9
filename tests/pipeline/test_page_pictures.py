"""Pages are drawn in processes of their own: one that hangs or dies takes nothing down."""

import io
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from pipeline import page_painter
from pipeline.errors import Unavailable
from pipeline.page_painter import Painter, answer, serve
from pipeline.page_pictures import PagePictures, PictureWish
from stages.errors import InputRefused
from tests.pipeline.conftest import write_pdf


@pytest.fixture(scope="module")
def pictures() -> Iterator[PagePictures]:
    pictures = PagePictures()
    yield pictures
    pictures.close()


def test_pages_are_drawn_two_at_a_time_and_told_in_order(pictures: PagePictures, tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf", pages=5)
    wishes = [PictureWish(path, index, 120, tmp_path / f"{index}.png") for index in range(6)]
    told = list(pictures.draw_all(wishes))
    assert [wish for wish, _ in told] == wishes
    assert [error is None for _, error in told] == [True] * 5 + [False]
    assert Image.open(tmp_path / "4.png").size == (85, 120)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "0.png",
        "1.png",
        "2.png",
        "3.png",
        "4.png",
        "a.pdf",
    ]


@pytest.mark.parametrize("content", [b"no pdf", None])
def test_a_file_that_cannot_be_shown_is_refused(
    pictures: PagePictures, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "a.pdf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputRefused):
        pictures.draw(PictureWish(path, 0, 100, tmp_path / "out.png"))
    assert not list(tmp_path.glob("*.png"))


def test_a_page_that_takes_too_long_is_given_up_and_the_next_is_drawn(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    hurried = PagePictures(timeout_s=0.0)
    with pytest.raises(InputRefused, match="could not be drawn in 0 s"):
        hurried.draw(PictureWish(path, 0, 100, tmp_path / "out.png"))
    hurried._timeout_s = 30.0
    assert hurried.draw(PictureWish(path, 0, 100, tmp_path / "out.png")).is_file()
    hurried.close()


def test_a_process_that_died_is_replaced(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    pictures = PagePictures()
    wish = PictureWish(path, 0, 100, tmp_path / "out.png")
    pictures.draw(wish)
    os.kill(pictures._idle.queue[0]._process.pid, signal.SIGKILL)
    with pytest.raises(InputRefused):
        pictures.draw(wish)
    assert pictures.draw(wish).is_file()
    pictures.close()


def test_who_asks_after_the_end_is_refused(tmp_path: Path) -> None:
    pictures = PagePictures()
    pictures.close()
    with pytest.raises(Unavailable):
        pictures.draw(PictureWish(tmp_path / "a.pdf", 0, 100, tmp_path / "out.png"))


def test_the_painter_answers_each_line_and_sees_a_changed_file(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    wish = {"path": str(path), "page_index": 0, "max_side_px": 50, "out": str(tmp_path / "o.png")}
    lines = (json.dumps(wish) + "\n").encode() * 2
    said = io.BytesIO()
    serve(io.BytesIO(lines), said)
    assert said.getvalue() == b"{}\n{}\n"
    assert signal.alarm(0) == 0
    painter = Painter()
    assert answer(painter, json.dumps(wish).encode()) == {}
    first = (tmp_path / "o.png").read_bytes()
    document = pymupdf.open()
    document.new_page(width=842, height=595)
    document.save(path)
    os.utime(path, ns=(1, 1))
    assert answer(painter, json.dumps(wish).encode()) == {}
    assert (tmp_path / "o.png").read_bytes() != first
    with pytest.raises(InputRefused):
        painter.paint(path, 9, 50, tmp_path / "o.png")
    assert page_painter.MEMORY_BYTES == 2 * 1024**3
