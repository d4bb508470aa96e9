"""Waiting for a package: what is forgotten is rung for again, and a standstill is an error."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import utc_now
from pipeline.errors import Unavailable
from pipeline.progress import Silent
from pipeline.wiring import App
from pipeline.workers import wait_for_package
from storage.schema import JobState


@dataclass
class Bells:
    """Doorbells that the waiting thread answers itself, or that nobody hears."""

    app: App
    are_heard: bool
    rung: list[list[str]] = field(default_factory=list)

    @property
    def package(self) -> Any:
        return self

    def ring(self, jobs: Any, wanted: list[str]) -> None:
        self.rung.append(wanted)
        if self.are_heard:
            self.app.runner.run(jobs[0].id)

    def send(self, package_id: str) -> None:
        if self.are_heard:
            self.app.archiver.archive(package_id)


def _wait(app: App, package: Path, plan: Path, bells: Any, *, stall_s: float) -> str:
    package_id = app.bids.submit(package, plan, actor=app.actor, key_uri=app.key_uri).id
    wait_for_package(
        app.records,
        package_id,
        since=utc_now(),
        progress=Silent(),
        doorbells=bells,
        quiet_s=0.2,
        stall_s=stall_s,
    )
    return package_id


def test_a_package_that_was_forgotten_is_rung_for_again(app: App, package: Path, plan: Path) -> None:
    bells = Bells(app, are_heard=True)
    package_id = _wait(app, package, plan, bells, stall_s=60.0)  # the bell itself does the work here
    assert {job.state for job in app.records.jobs(package_id)} == {JobState.ARCHIVED}
    assert len(bells.rung) == 1
    assert len(bells.rung[0]) == 2


def test_a_standstill_ends_the_wait(app: App, package: Path, plan: Path) -> None:
    bells = Bells(app, are_heard=False)
    with pytest.raises(Unavailable, match="no document has moved"):
        _wait(app, package, plan, bells, stall_s=1.0)
    assert bells.rung
