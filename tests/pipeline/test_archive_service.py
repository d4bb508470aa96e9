"""The archivist's service: find, show, get and verify, by id or by a file name that is the only one."""

import hashlib
from pathlib import Path

import pytest

from pipeline.errors import Forbidden
from pipeline.permissions import Actor, Role
from pipeline.wiring import App
from storage.errors import Corrupt, NotFound
from storage.search import ArchiveSearch
from tests.pipeline.conftest import write_pdf


def _archive(app: App, package: Path, plan: Path) -> str:
    """Take a package through the line, without workers."""
    package_id = app.bids.submit(package, plan, actor=app.actor, key_uri=app.key_uri).id
    app.runner.run(app.records.jobs(package_id)[0].id)
    assert app.archiver.archive(package_id) == len(app.records.jobs(package_id))
    return package_id


def test_a_document_is_found_shown_taken_out_and_proved_again(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    _archive(app, package, plan)
    (found,) = app.archive.find("a.pdf", actor=app.actor)
    assert app.archive.show(found["id"], actor=app.actor) == found
    paths = app.archive.get(found["id"], tmp_path / "out", actor=app.actor)
    assert set(paths) == {"original", "signed", "verdict", "manifest", "evidence"}
    assert Path(paths["original"]).read_bytes() == (package / "a.pdf").read_bytes()
    assert hashlib.sha256(Path(paths["signed"]).read_bytes()).hexdigest() == found["signed_sha256"]
    assert app.archive.verify(found["id"], actor=app.actor)["indication"] == "TOTAL-PASSED"
    assert [event.act for event in app.records.events(found["id"])][-1] == "retrieve"


def test_a_file_name_that_is_the_only_one_will_do_however_old_the_document(
    app: App, package: Path, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _archive(app, package, plan)
    later = write_pdf(tmp_path / "later" / "c.pdf", "丙").parent
    _archive(app, later, plan)
    monkeypatch.setitem(ArchiveSearch.find_archives.__kwdefaults__, "limit", 1)
    assert app.archive.show("a.pdf", actor=app.actor)["file"] == "a.pdf"
    assert app.archive.show("c.pdf", actor=app.actor)["file"] == "c.pdf"


def test_a_file_name_that_several_have_is_not_guessed_at(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    _archive(app, package, plan)
    _archive(app, write_pdf(tmp_path / "other" / "a.pdf", "另").parent, plan)
    with pytest.raises(NotFound, match="several archived documents") as refused:
        app.archive.show("a.pdf", actor=app.actor)
    assert "多份" in refused.value.zh


def test_what_is_not_archived_is_not_found(app: App, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        app.archive.show("no-such-id", actor=app.actor)
    with pytest.raises(NotFound):
        app.archive.get("no-such-id", tmp_path / "out", actor=app.actor)
    with pytest.raises(NotFound):
        app.archive.verify("no-such-id", actor=app.actor)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("role", [Role.SIGNER, Role.SEAL_OPERATOR])
def test_only_an_archivist_reads_the_archive(app: App, role: Role, tmp_path: Path) -> None:
    somebody = Actor("li", frozenset({role}))
    with pytest.raises(Forbidden):
        app.archive.find(actor=somebody)
    with pytest.raises(Forbidden):
        app.archive.show("x", actor=somebody)
    with pytest.raises(Forbidden):
        app.archive.get("x", tmp_path / "out", actor=somebody)
    with pytest.raises(Forbidden):
        app.archive.verify("x", actor=somebody)


def test_a_lost_object_is_corruption_and_nothing_is_taken_out(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    archive_id = app.records.jobs(_archive(app, package, plan))[0].id
    lost = app.records.archive_of(archive_id).evidence_digest
    (kept,) = [path for path in (app.home / "objects").rglob(f"{lost}*") if path.name == lost]
    kept.unlink()
    with pytest.raises(Corrupt, match="evidence"):
        app.archive.get(archive_id, tmp_path / "out", actor=app.actor)
    with pytest.raises(Corrupt):
        app.archive.verify(archive_id, actor=app.actor)
    assert not (tmp_path / "out").exists()
