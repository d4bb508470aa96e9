"""A part of a blind bid (暗标) goes through the line untouched, unmarked, unsigned, yet kept with proof."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.documents_json import result_json
from pipeline.wiring import App
from stages.errors import TimestampUnavailable
from storage.schema import JobState
from tests.pipeline.conftest import run_all, submit


@pytest.fixture
def plan(plan: Path) -> Path:
    """The plan, with b.pdf as part of a blind bid."""
    text = plan.read_text(encoding="utf-8")
    plan.write_text(text + "parts:\n  - {name: 技术暗标, files: b.pdf, 暗标: true}\n", encoding="utf-8")
    return plan


def test_a_blind_part_comes_out_byte_for_byte_beside_the_signed_ones(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    signed, blind = app.bids.results(package_id, tmp_path / "out", actor=app.actor)
    assert (signed.state, signed.signatures) == (JobState.ARCHIVED, 1)
    assert (blind.state, blind.signatures, blind.error) == (JobState.KEPT_UNSIGNED, 0, None)
    assert blind.output is not None
    assert blind.output.read_bytes() == (package / "b.pdf").read_bytes()
    assert result_json(blind)["state"] == "kept_unsigned"
    job = app.records.jobs(package_id)[1]
    acts = Counter(event.act for event in app.records.events(job.id))
    assert acts["keep_unsigned"] == acts["kept_unsigned"] == 1
    assert not {"stamp", "signature_claimed", "signed", "timestamp"} & set(acts)


def test_a_blind_part_is_archived_with_a_manifest_and_evidence_under_the_same_timestamp(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    package_id = submit(app, package, plan)
    asked = 0
    real = app.archiver.authority

    class Counting:
        name = real.name

        def ask(self, request: bytes) -> bytes:
            nonlocal asked
            asked += 1
            return real.ask(request)

    app.archiver.authority = Counting()
    run_all(app, package_id)
    assert asked == 1
    (found,) = app.archive.find("b.pdf", actor=app.actor)
    assert (found["signed_sha256"], found["signer"], found["stamped_at"]) == (None, "", None)
    paths = app.archive.get(found["id"], tmp_path / "taken", actor=app.actor)
    assert set(paths) == {"original", "manifest", "evidence"}
    proved = app.archive.verify(found["id"], actor=app.actor)
    assert (proved["indication"], proved["objects"], proved["evidence"]) == (
        "TOTAL-PASSED",
        "passed",
        "passed",
    )
    assert proved["signatures"] is None
    assert proved["stamped_at"]


def test_a_blind_part_whose_bytes_were_changed_is_found_out(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job = app.records.jobs(package_id)[1]
    archived = app.records.archive_of(job.id)
    other = app.records.archive_of(app.records.jobs(package_id)[0].id)
    # the manifest of one with the evidence of another: what an attacker would have at hand
    real = app.records.archive_of
    app.archive._records = type(
        "Swapped",
        (),
        {
            "__getattr__": lambda self, name: getattr(app.records, name),
            "archive_of": lambda self, job_id: replace(real(job_id), evidence_digest=other.evidence_digest),
        },
    )()
    assert archived.evidence_digest != other.evidence_digest
    assert app.archive.verify(job.id, actor=app.actor)["indication"] == "TOTAL-FAILED"


def test_a_blind_part_waits_for_a_silent_authority_like_the_others(
    app: App, package: Path, plan: Path
) -> None:
    package_id = submit(app, package, plan)
    real = app.archiver.authority

    class Silent:
        name = "silent"

        def ask(self, request: bytes) -> bytes:
            raise TimestampUnavailable("nobody answers", zh="无应答")

    app.archiver.authority = Silent()
    run_all(app, package_id)
    assert [job.state for job in app.records.jobs(package_id)] == [JobState.VERIFIED, JobState.UNSIGNED]
    app.archiver.authority = real
    run_all(app, package_id)
    assert app.records.jobs(package_id)[1].state is JobState.KEPT_UNSIGNED


def test_a_blind_part_is_withdrawn_before_it_is_kept_and_voided_after(
    app: App, package: Path, plan: Path
) -> None:
    package_id = submit(app, package, plan)
    job = app.records.jobs(package_id)[1]
    app.runner.run_alone(job.id)
    assert app.records.job(job.id).state is JobState.UNSIGNED
    run_all(app, package_id)
    (taken,) = app.withdrawals.withdraw(package_id, reason="换文件", actor=app.actor, file="b.pdf")
    assert taken.void is not None
    proved = app.archive.verify(job.id, actor=app.actor)
    assert proved["void"]["indication"] == "TOTAL-PASSED"


def test_a_package_of_blind_files_alone_is_planned_and_kept(app: App, package: Path, tmp_path: Path) -> None:
    plan = tmp_path / "blind.yaml"
    plan.write_text('version: 1\nparts: [{name: 技术标, files: "*", 暗标: true}]\n', encoding="utf-8")
    run = app.bids.dry_run(package, plan, actor=app.actor)
    assert (run.mark_count, run.files_without_marks) == (0, ())
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    assert [job.state for job in app.records.jobs(package_id)] == [JobState.KEPT_UNSIGNED] * 2


def test_a_blind_part_is_signed_invisibly_where_the_plan_says_so(
    app: App, package: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "blind.yaml"
    part = 'parts: [{name: 技术标, files: "*", 暗标: true, signature: invisible}]'
    plan.write_text(f"version: 1\n{part}\n", encoding="utf-8")
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    signed, _ = app.bids.results(package_id, tmp_path / "out", actor=app.actor)
    assert (signed.state, signed.signatures, signed.error) == (JobState.ARCHIVED, 1, None)
    assert signed.output is not None
    data, original = signed.output.read_bytes(), (package / "a.pdf").read_bytes()
    added = data.removeprefix(original)
    assert len(added) == len(data) - len(original)
    assert b"/Rect [0 0 0 0]" in added
    for key in (b"/Reason", b"/Location", b"/Name", b"/Image", b"/AP"):
        assert key not in added
