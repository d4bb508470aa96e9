"""The engine behind the reader: it reads lines, and says plainly when it cannot be had."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from seal_imaging import RapidReader, ReaderUnavailable
from seal_imaging.reader import Strip


@pytest.fixture(scope="module")
def strip(tmp_path_factory: pytest.TempPathFactory, font: bytes) -> Strip:
    file = tmp_path_factory.mktemp("font") / "cjk.otf"
    file.write_bytes(font)
    picture = Image.new("L", (400, 48), 255)
    ImageDraw.Draw(picture).text((12, 2), "江南示例 2026", font=ImageFont.truetype(file, 38), fill=0)
    return np.asarray(picture)


def test_a_line_is_read_with_places_from_left_to_right(strip: Strip) -> None:
    (line,) = RapidReader().read([strip])
    assert line.text.replace(" ", "") == "江南示例2026"
    assert line.confidence > 0.9
    places = [character.at for character in line.characters]
    assert places == sorted(places)
    assert 0 < places[0] < 0.15


def test_an_alphabet_is_all_that_is_read(strip: Strip) -> None:
    (line,) = RapidReader().read([strip], alphabet="0123456789")
    assert set(line.text) <= set("0123456789")
    assert line.text.endswith("2026")


def test_an_empty_strip_reads_as_nothing() -> None:
    (line,) = RapidReader().read([np.full((48, 300), 255, np.uint8)])
    assert line.characters == ()
    assert line.confidence == 0


def test_two_readings_of_a_strip_are_equal(strip: Strip) -> None:
    reader = RapidReader()
    first, second = reader.read([strip, strip])
    assert first == second


def test_a_missing_model_is_said() -> None:
    with pytest.raises(ReaderUnavailable, match="cannot be loaded"):
        RapidReader(model_path="no-such-model.onnx").read([np.full((48, 48), 255, np.uint8)])


def test_a_broken_model_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(ReaderUnavailable, match="cannot be loaded"):
        RapidReader(model_path=str(broken)).read([np.full((48, 48), 255, np.uint8)])


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ReaderUnavailable, match="rapidocr is not installed"):
        RapidReader().read([np.full((48, 48), 255, np.uint8)])


def test_a_missing_engine_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ReaderUnavailable, match="onnxruntime is not installed"):
        RapidReader().read([np.full((48, 48), 255, np.uint8)])


def test_importing_the_room_loads_no_engine() -> None:
    code = "import sys, seal_imaging; sys.exit('onnxruntime' in sys.modules or 'rapidocr' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
