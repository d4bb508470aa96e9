"""The doorbells' edge: a bug refuses the document it is met in, and silence outside refuses nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import archiver, steps
from pipeline.wiring import App
from storage.errors import Corrupt, StoreUnavailable
from storage.schema import JobState
from tests.pipeline.conftest import write_pdf


def _submit(app: App, package: Path, plan: Path) -> str:
    """Take a package in; nobody answers its doorbells but the test."""
    return app.bids.submit(package, plan, actor=app.actor, key_uri=app.key_uri).id


def _ring(app: App, package_id: str) -> None:
    app.doorbells.chunk(app.records.jobs(package_id)[0].id)
    app.doorbells.package(package_id)


def _states(app: App, package_id: str) -> dict[str, JobState]:
    return {job.name: job.state for job in app.records.jobs(package_id)}


def _breaking(real: Callable[..., Any], name: str, error: Exception) -> Callable[..., Any]:
    """Return a stage that fails for one document, known by its name."""

    def stage(source: Any, *arguments: Any, **named: Any) -> Any:
        if source.name == name:
            raise error
        return real(source, *arguments, **named)

    return stage


@pytest.fixture
def package_of_three(package: Path) -> Path:
    """A package of three small files: one chunk."""
    write_pdf(package / "c.pdf", "丙")
    return package


def test_a_bug_in_one_document_refuses_that_document_alone(
    app: App, package_of_three: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_id = _submit(app, package_of_three, plan)
    monkeypatch.setattr(steps, "stamp", _breaking(steps.stamp, "b.pdf", ZeroDivisionError("a bug")))
    _ring(app, package_id)
    assert _states(app, package_id) == {
        "a.pdf": JobState.ARCHIVED,
        "b.pdf": JobState.REFUSED,
        "c.pdf": JobState.ARCHIVED,
    }
    (refused,) = [job for job in app.records.jobs(package_id) if job.state is JobState.REFUSED]
    assert refused.error is not None
    assert refused.error.code == "UNEXPECTED"


def test_a_bug_met_by_all_refuses_them_all(
    app: App, package: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_id = _submit(app, package, plan)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(steps, "check_usable", broken)
    _ring(app, package_id)
    assert set(_states(app, package_id).values()) == {JobState.REFUSED}


def test_a_document_refused_by_a_bug_goes_through_once_the_bug_is_gone(
    app: App, package: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_id = _submit(app, package, plan)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "stamp", _breaking(steps.stamp, "b.pdf", ZeroDivisionError("a bug")))
        _ring(app, package_id)
    assert _submit(app, package, plan) == package_id
    _ring(app, package_id)
    assert set(_states(app, package_id).values()) == {JobState.ARCHIVED}


def test_a_silent_store_refuses_nothing(
    app: App, package: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_id = _submit(app, package, plan)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "stamp", _breaking(steps.stamp, "b.pdf", StoreUnavailable("silent")))
        _ring(app, package_id)
    assert set(_states(app, package_id).values()) == {JobState.PLANNED}
    _ring(app, package_id)
    assert set(_states(app, package_id).values()) == {JobState.ARCHIVED}


def test_a_bug_does_not_refuse_a_neighbour_that_meets_silence(
    app: App, package_of_three: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package_id = _submit(app, package_of_three, plan)
    broken = _breaking(steps.stamp, "b.pdf", ZeroDivisionError("a bug"))
    monkeypatch.setattr(steps, "stamp", _breaking(broken, "c.pdf", StoreUnavailable("silent")))
    _ring(app, package_id)
    assert _states(app, package_id) == {
        "a.pdf": JobState.VERIFIED,
        "b.pdf": JobState.REFUSED,
        "c.pdf": JobState.PLANNED,
    }


def _verified(app: App, package: Path, plan: Path) -> str:
    package_id = _submit(app, package, plan)
    app.runner.run(app.records.jobs(package_id)[0].id)
    assert set(_states(app, package_id).values()) == {JobState.VERIFIED}
    return package_id


@pytest.mark.parametrize(
    ("error", "code"), [(Corrupt("changed"), "CORRUPT"), (ZeroDivisionError("a bug"), "UNEXPECTED")]
)
def test_a_document_that_cannot_be_archived_waits_with_the_reason_and_the_others_are_archived(
    app: App, package: Path, plan: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    package_id = _verified(app, package, plan)
    real = archiver.ToArchive
    with monkeypatch.context() as patch:

        def to_archive(*, name: str, **fields: Any) -> archiver.ToArchive:
            if name == "b.pdf":
                raise error
            return real(name=name, **fields)

        patch.setattr(archiver, "ToArchive", to_archive)
        app.doorbells.package(package_id)
    waiting = next(job for job in app.records.jobs(package_id) if job.name == "b.pdf")
    assert _states(app, package_id) == {"a.pdf": JobState.ARCHIVED, "b.pdf": JobState.VERIFIED}
    assert waiting.error is not None
    assert waiting.error.code == code
    assert [event.act for event in app.records.events(waiting.id)][-1] == "await_archiving"
    app.doorbells.package(package_id)
    assert set(_states(app, package_id).values()) == {JobState.ARCHIVED}
