"""Files taken out of the store: whole or not at all, and what was there before is kept until then."""

from pathlib import Path

import pytest

from pipeline.wiring import App
from storage.errors import Corrupt


def test_a_seal_that_cannot_be_read_leaves_the_file_that_was_there(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = app.seals.save("公章", tmp_path / "out", actor=app.actor)
    before = image.read_bytes()
    image.write_bytes(before + b"older")

    def copy_to(digest: str, path: Path) -> None:
        path.write_bytes(before[:10])
        raise Corrupt("stored bytes do not match")

    monkeypatch.setattr(app.store, "copy_to", copy_to)
    with pytest.raises(Corrupt):
        app.seals.save("公章", tmp_path / "out", actor=app.actor)
    assert image.read_bytes() == before + b"older"
    assert sorted(path.suffix for path in image.parent.iterdir()) == [".esl", ".png"]


def test_a_file_that_is_there_already_is_not_written_again(app: App, tmp_path: Path) -> None:
    image, _ = app.seals.save("公章", tmp_path / "out", actor=app.actor)
    before = image.stat()
    app.seals.save("公章", tmp_path / "out", actor=app.actor)
    assert (image.stat().st_ino, image.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
