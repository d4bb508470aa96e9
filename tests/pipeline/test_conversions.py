"""An office file is converted once; what was kept is believed only while it is what was made."""

import hashlib
from pathlib import Path

import pytest

from pipeline.conversions import KeptConversions
from stages import derive as stage
from stages.derive import Choices
from stages.documents import SourceFile
from stages.errors import InputRefused
from tests.simulators.office_files import docx_bytes

pytestmark = pytest.mark.needs_libreoffice


def source(folder: Path, name: str, data: bytes) -> SourceFile:
    path = folder / hashlib.sha256(name.encode()).hexdigest()
    path.write_bytes(data)
    return SourceFile(path, name, len(data), hashlib.sha256(data).hexdigest())


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that LibreOffice was asked to convert."""
    asked: list[str] = []
    convert = stage.convert_to_pdf

    def counted(path: Path, kind: object, scratch: Path, *, name: str) -> Path:
        asked.append(name)
        return convert(path, kind, scratch, name=name)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "convert_to_pdf", counted)
    return asked


def test_the_same_content_is_converted_once_whatever_it_is_called(tmp_path: Path, runs: list[str]) -> None:
    kept = KeptConversions(tmp_path / "converted")
    data = docx_bytes("投标函")
    made = []
    for number, name in enumerate(("投标函.docx", "副本/投标函（2）.docx")):
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir()
        made.append(kept.derive(source(tmp_path, name, data), scratch, Choices()))
    assert runs == ["投标函.docx"]
    first, second = made
    assert second.path.read_bytes() == first.path.read_bytes()
    assert (second.name, second.sha256) == ("副本/投标函（2）.pdf", first.sha256)
    assert first.origin is not None
    assert second.origin is not None
    assert second.origin.name == "副本/投标函（2）.docx"
    assert (second.origin.tool, second.origin.findings) == (first.origin.tool, first.origin.findings)

    # What was kept is changed behind our back: it is made again.
    (changed,) = (tmp_path / "converted").glob("*/*/made.pdf")
    changed.write_bytes(changed.read_bytes() + b" ")
    scratch = tmp_path / "scratch3"
    scratch.mkdir()
    third = kept.derive(source(tmp_path, "投标函.docx", data), scratch, Choices())
    assert third.sha256 == first.sha256
    assert len(runs) == 2


def test_a_file_that_may_not_be_converted_is_refused_although_it_was_before(tmp_path: Path) -> None:
    kept = KeptConversions(tmp_path / "converted")
    with pytest.raises(InputRefused, match="converting is switched off"):
        kept.derive(source(tmp_path, "a.docx", docx_bytes("a")), tmp_path, Choices(convert=False))
