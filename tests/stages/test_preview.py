"""A preview shows the mark that only the signature will show, and changes nothing else."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pikepdf
import pytest

from stages.documents import Mark, SealFace, StampedDocument
from stages.errors import InputRefused
from stages.pdf.render import open_for_view, render_page
from stages.preview import preview
from tests.pipeline.conftest import write_pdf, write_seal_image

MARK = Mark(0, "公章", 100, 100, 42, 42, 0)


def _face(folder: Path) -> SealFace:
    image = write_seal_image(folder / "seal.png")
    return SealFace("公章", image, hashlib.sha256(image.read_bytes()).hexdigest(), (14, 14, 42, 42))


def _reds(path: Path) -> int:
    document = open_for_view(path)
    picture = render_page(document, 0, max_side_px=300)
    document.close()
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return int(np.count_nonzero((pixels[..., 2] > 150) & (pixels[..., 1] < 120)))


def test_a_seal_that_only_the_signature_shows_is_seen(tmp_path: Path) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    original = path.read_bytes()
    face = _face(tmp_path)
    preview(StampedDocument(path, len(original), None, (MARK,), (face,)))
    assert path.read_bytes().startswith(original)
    assert _reds(path) > 50
    with pikepdf.open(path) as pdf:
        assert "/AcroForm" not in pdf.Root


@pytest.mark.parametrize("mark", [None, MARK])
def test_a_file_with_its_marks_on_the_pages_stays_as_it_is(tmp_path: Path, mark: Mark | None) -> None:
    path = write_pdf(tmp_path / "a.pdf")
    original = path.read_bytes()
    preview(StampedDocument(path, len(original), mark))
    assert path.read_bytes() == original


def test_a_file_that_cannot_be_appended_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-1.4 nothing")
    face = _face(tmp_path)
    with pytest.raises(InputRefused):
        preview(StampedDocument(path, 16, None, (MARK,), (face,)))
