"""The runner stopped before and after each write: one output, one event, one signature in the end."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from pipeline.wiring import App
from storage.schema import JobState
from tests.pipeline.conftest import run_all, submit

WRITES = {
    "store": ("put_file", "put_bytes", "retain"),
    "records": ("advance", "claim_signatures", "record_signatures", "archive_jobs"),
}


class Plug(BaseException):
    """The power went; no handler of ours may catch it."""


class Pulled:
    """Stands before a store or the records, and pulls the plug at the n-th write."""

    def __init__(self, behind: Any, writes: tuple[str, ...], count: list[int], *, after: bool) -> None:
        self._behind = behind
        self._writes = writes
        self._count = count
        self._after = after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._behind, name)
        if name not in self._writes:
            return real

        def write(*arguments: Any, **named: Any) -> Any:
            self._count[0] -= 1
            if self._count[0] == 0 and not self._after:
                raise Plug
            result = real(*arguments, **named)
            if self._count[0] == 0:
                raise Plug
            return result

        return write


def _wire(app: App, count: list[int], *, after: bool) -> Callable[[], None]:
    """Put the plug before what runner and archiver write; return what takes it out again."""
    real = (app.store, app.records)
    for part in (app.runner, app.archiver):
        part.store = Pulled(app.store, WRITES["store"], count, after=after)
        part.records = Pulled(app.records, WRITES["records"], count, after=after)

    def unplug() -> None:
        for part in (app.runner, app.archiver):
            part.store, part.records = real

    return unplug


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_plug_pulled_at_any_write_costs_nothing(
    app: App, package: Path, plan: Path, tmp_path: Path, after: bool
) -> None:
    """Each round takes one more document through, stopped one write later than the round before."""
    pulls = 0
    for at_write in range(1, 60):
        folder = tmp_path / f"round-{after}-{at_write}"
        folder.mkdir()
        source = (package / "a.pdf").read_bytes()
        (folder / "a.pdf").write_bytes(source + b"\n%% round " + str(at_write).encode() + b"\n")
        package_id = submit(app, folder, plan)
        unplug = _wire(app, [at_write], after=after)
        try:
            run_all(app, package_id)
        except Plug:
            pulls += 1
        else:
            break
        finally:
            unplug()
        run_all(app, package_id)
        _check_done_once(app, package_id, folder / "a.pdf")
    assert pulls >= 12
    app.records.verify_events()


def _check_done_once(app: App, package_id: str, original: Path) -> None:
    (job,) = app.records.jobs(package_id)
    assert job.state is JobState.ARCHIVED, job.error
    acts = Counter(event.act for event in app.records.events(job.id))
    assert all(acts[act] == 1 for act in ("stamp", "signed", "timestamp", "verify", "archived")), acts
    archived = app.records.archive_of(job.id)
    out = original.with_name(f"{job.id}.pdf")
    app.store.copy_to(archived.signed_digest, out)
    data = out.read_bytes()
    assert data.startswith(original.read_bytes())
    assert hashlib.sha256(data).hexdigest() == archived.signed_digest
    with pikepdf.open(out) as pdf:
        assert sum("/V" in field for field in pdf.Root.AcroForm.Fields) == 1
    out.unlink()


def test_a_second_delivery_signs_nothing(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    before = [app.records.archive_of(job.id) for job in app.records.jobs(package_id)]
    events = sum(1 for _ in app.records.events())
    run_all(app, package_id)
    assert [app.records.archive_of(job.id) for job in app.records.jobs(package_id)] == before
    assert sum(1 for _ in app.records.events()) == events


def test_two_workers_at_once_sign_once(app: App, package: Path, plan: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    package_id = submit(app, package, plan)
    jobs = [job.id for job in app.records.jobs(package_id)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(app.runner.run, jobs * 3))
    run_all(app, package_id)
    for job in app.records.jobs(package_id):
        assert job.state is JobState.ARCHIVED
        acts = Counter(event.act for event in app.records.events(job.id))
        assert acts["signed"] == acts["timestamp"] == acts["verify"] == 1
