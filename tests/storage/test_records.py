"""Packages, jobs, states and signatures in the records, over SQLite and Postgres."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.errors import (
    AlreadyBound,
    Corrupt,
    NotFound,
    RecordRefused,
    SchemaTooNew,
    StaleState,
    StorageError,
    StoreUnavailable,
)
from storage.origins import OriginRecord
from storage.records import Records, open_records
from storage.rows import (
    CertificateRecord,
    JobError,
    JobRecord,
    Move,
    NewClaim,
    NewJob,
    NewPackage,
    NewSignature,
    SealRecord,
)
from storage.schema import JobState
from tests.storage.conftest import NOW

S = JobState
REPOSITORY = Path(__file__).resolve().parents[2]
CERTIFICATE = CertificateRecord("c" * 64, "CN=投标人", "CN=CA", NOW, NOW + timedelta(days=365))
OTHER = replace(CERTIFICATE, fingerprint="d" * 64)
SEAL = SealRecord(
    id="6a1f3c52-openseal",
    name="公章",
    kind="official",
    owner="某某公司",
    owner_code="91110000000000000X",
    shape="circle",
    width_mm=42.0,
    height_mm=42.0,
    ink_box_mm=(14.0, 14.0, 42.0, 42.0),
    image_digest="1" * 64,
    eseal_digest=None,
    standing="tryout",
    status="active",
    created_at=NOW,
    valid_from_at=NOW,
    valid_until_at=NOW + timedelta(days=365),
)


def package_of(records: Records, count: int = 3, key: str = "a") -> list[JobRecord]:
    package = NewPackage(key * 64, "包一", "b" * 64, project="项目", settings={"威": [1, None]})
    new_jobs = [NewJob(f"{number}.pdf", f"{number:064x}", number) for number in range(count)]
    record, created = records.open_package(package, new_jobs, actor="alice", at=NOW)
    assert created
    return records.jobs(record.id)


def move(job: JobRecord, to: JobState, **changes: object) -> Move:
    made = Move(job.id, job.state, to, to.value, "worker", NOW + timedelta(minutes=1))
    return replace(made, **changes)  # type: ignore[arg-type]


def bring(records: Records, job_id: str, *states: JobState) -> None:
    for state in states:
        records.advance([move(records.job(job_id), state)])


def stamped(records: Records, count: int = 1) -> list[str]:
    records.add_certificate(CERTIFICATE)
    ids = [job.id for job in package_of(records, count)]
    for job_id in ids:
        bring(records, job_id, S.INSPECTED, S.PLANNED, S.STAMPED)
    return ids


def claim(records: Records, job_id: str, at: datetime = NOW, fingerprint: str = "c" * 64) -> object:
    return records.claim_signature(
        job_id, expected=S.STAMPED, fingerprint=fingerprint, field_name="Sig1", actor="w", at=at
    )


# opening


def test_opening_again_changes_nothing(records_url: str) -> None:
    first = open_records(records_url)
    package_of(first)
    first.close()
    second = open_records(records_url)
    assert len(second.packages()) == 1
    assert second.verify_events() == 4
    second.close()


def test_two_processes_may_start_at_once(records_url: str) -> None:
    program = "import sys; from storage.records import open_records; open_records(sys.argv[1]).close()"
    starting = [
        subprocess.Popen([sys.executable, "-c", program, records_url], cwd=REPOSITORY) for _ in range(3)
    ]
    assert [process.wait(timeout=60) for process in starting] == [0, 0, 0]
    records = open_records(records_url)
    assert records.verify_events() == 0
    records.close()


def test_records_of_a_later_version_are_left_alone(records_url: str) -> None:
    import sqlalchemy as sa

    opened = open_records(records_url)
    with opened._database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    opened.close()
    with pytest.raises(SchemaTooNew):
        open_records(records_url)


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "records.db"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(StorageError):
        open_records(url)


def test_a_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_bytes(b"not a database at all, whatever its name says" * 100)
    with pytest.raises(Corrupt):
        open_records(f"sqlite:///{tmp_path}/records.db")


def test_a_silent_database_is_unavailable_and_its_password_not_told(free_port: int, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        open_records(f"postgresql://user:hush-hush@127.0.0.1:{free_port}/db")
    assert "hush" not in str(raised.value) + raised.value.zh
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        open_records(f"sqlite:///{tmp_path}/file/records.db")


def test_a_home_folder_may_have_any_name(tmp_path: Path) -> None:
    path = tmp_path / "投标 100%?x=1#2" / "records.db"
    open_records(f"sqlite:///{path}").close()
    assert path.exists()


# packages and jobs


def test_a_package_comes_back_as_it_was_opened(records: Records) -> None:
    jobs = package_of(records)
    package = records.package(jobs[0].package_id)
    assert package == records.package_by_key("a" * 64) == records.packages()[0]
    assert (package.name, package.settings, package.created_at) == ("包一", {"威": [1, None]}, NOW)
    assert [(job.name, job.ordinal, job.state, job.attempts) for job in jobs] == [
        (f"{number}.pdf", number, S.RECEIVED, 0) for number in range(3)
    ]
    assert records.job(jobs[2].id) == jobs[2]


def test_the_same_key_is_the_same_package(records: Records) -> None:
    job = package_of(records)[0]
    bring(records, job.id, S.INSPECTED)
    package = NewPackage("a" * 64, "another name", "e" * 64)
    again, created = records.open_package(package, [NewJob("x", "0" * 64, 1)], actor="bob", at=NOW)
    assert not created
    assert again.name == "包一"
    assert records.job(job.id).state is S.INSPECTED
    assert len(records.jobs(again.id)) == 3


@pytest.mark.parametrize(
    ("package", "new_jobs"),
    [
        (NewPackage("a" * 64, "p", "b" * 64), []),
        (NewPackage("a" * 64, "", "b" * 64), [NewJob("x", "0" * 64, 1)]),
        (NewPackage("a" * 64, "p", "b" * 64), [NewJob("x" * 1001, "0" * 64, 1)]),
        (NewPackage("a" * 64, "p", "b" * 64), [NewJob("\udcff", "0" * 64, 1)]),
        (NewPackage("a" * 64, "p", "b" * 64), [NewJob("a\0b", "0" * 64, 1)]),
        (NewPackage("a" * 64, "p", "b" * 64), [NewJob("x", "0" * 64, 1), NewJob("x", "1" * 64, 1)]),
        (NewPackage("a" * 64, "p", "b" * 64), [NewJob("x", "0" * 63, 1)]),
        (NewPackage("a" * 64, "p", "b" * 64), [NewJob("x", "0" * 63 + "G", 1)]),
        (NewPackage("a" * 64, "p", "b" * 64), [NewJob("x", "0" * 64, -1)]),
        (NewPackage("A" * 64, "p", "b" * 64), [NewJob("x", "0" * 64, 1)]),
    ],
)
def test_a_package_that_cannot_be_is_refused(
    records: Records, package: NewPackage, new_jobs: list[NewJob]
) -> None:
    with pytest.raises(RecordRefused):
        records.open_package(package, new_jobs, actor="a", at=NOW)
    assert records.packages() == []
    assert records.verify_events() == 0


def test_times_without_a_zone_are_refused_and_others_come_back_in_utc(records: Records) -> None:
    package, new_jobs = NewPackage("a" * 64, "p", "b" * 64), [NewJob("x", "0" * 64, 1)]
    with pytest.raises(RecordRefused):
        records.open_package(package, new_jobs, actor="a", at=datetime(2026, 1, 1))  # noqa: DTZ001
    beijing = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))
    opened, _ = records.open_package(package, new_jobs, actor="a", at=beijing)
    stored = records.package(opened.id).created_at
    assert (stored, stored.tzinfo) == (beijing, UTC)


def test_what_is_not_there_is_not_found(records: Records) -> None:
    lookups: list[Callable[[str], object]] = [
        records.package,
        records.package_by_key,
        records.job,
        records.seal,
        records.certificate,
        records.archive_of,
    ]
    for lookup in lookups:
        with pytest.raises(NotFound):
            lookup("nothing")
    assert records.jobs("nothing") == []
    assert records.outputs("nothing") == {}
    assert records.claim_of("nothing") is None


# moving


def test_a_move_changes_the_state_keeps_the_output_and_writes_one_event(records: Records) -> None:
    job = package_of(records)[0]
    before = records.verify_events()
    records.advance([move(job, S.INSPECTED, output=("9" * 64, 5), detail={"pages": 3})])
    moved = records.job(job.id)
    assert (moved.state, moved.updated_at) == (S.INSPECTED, NOW + timedelta(minutes=1))
    output = records.outputs(job.id)[S.INSPECTED]
    assert (output.digest, output.size_bytes) == ("9" * 64, 5)
    assert records.verify_events() == before + 1
    event = list(records.events(job.id))[-1]
    assert (event.act, event.actor) == ("inspected", "worker")
    assert event.detail == f'{{"from":"received","output":"{"9" * 64}","pages":3,"to":"inspected"}}'


def test_the_second_of_two_workers_changes_nothing(records: Records) -> None:
    first, second, _ = package_of(records)
    bring(records, second.id, S.INSPECTED)
    count = records.verify_events()
    with pytest.raises(StaleState):
        records.advance(
            [move(first, S.INSPECTED, output=("9" * 64, 1)), move(second, S.INSPECTED, output=("9" * 64, 1))]
        )
    assert records.job(first.id).state is S.RECEIVED
    assert records.outputs(first.id) == {}
    assert records.verify_events() == count


def test_of_many_workers_at_once_one_wins(records: Records) -> None:
    job = package_of(records, 1)[0]
    outcomes: list[str] = []

    def work() -> None:
        try:
            records.advance([move(job, S.INSPECTED)])
            outcomes.append("won")
        except StaleState:
            outcomes.append("stale")

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(outcomes) == ["stale"] * 5 + ["won"]
    assert records.verify_events() == 3


def test_a_move_of_an_unknown_job_is_stale(records: Records) -> None:
    with pytest.raises(StaleState):
        records.advance([Move("nothing", S.RECEIVED, S.INSPECTED, "inspected", "w", NOW)])
    records.advance([])


def test_too_many_moves_are_refused(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.states.MAX_MOVES", 2)
    with pytest.raises(RecordRefused):
        records.advance([move(job, S.INSPECTED) for job in package_of(records, 3)])


def test_refused_needs_a_reason_and_keeps_it(records: Records) -> None:
    job = package_of(records)[0]
    with pytest.raises(RecordRefused):
        records.advance([move(job, S.REFUSED)])
    error = JobError("INPUT_REFUSED", "encrypted", "已加密")
    records.advance([move(job, S.REFUSED, error=error)])
    assert records.job(job.id).error == error


def test_attempts_count_until_the_next_move_forward(records: Records) -> None:
    job = package_of(records)[0]
    wait_until_at = NOW + timedelta(minutes=5)
    error = JobError("UNAVAILABLE", "the TSA is silent")
    put_off = move(job, S.RECEIVED, error=error, wait_until_at=wait_until_at)
    records.advance([put_off])
    records.advance([put_off])
    waiting = records.job(job.id)
    assert (waiting.attempts, waiting.wait_until_at, waiting.error) == (2, wait_until_at, error)
    records.advance([move(waiting, S.INSPECTED)])
    moved = records.job(job.id)
    assert (moved.attempts, moved.wait_until_at, moved.error) == (0, None, None)


@pytest.mark.parametrize(
    "to", [S.SIGNING, S.SIGNED, S.AWAITING_TIMESTAMP, S.TIMESTAMPED, S.VERIFIED, S.ARCHIVED]
)
def test_no_job_is_signed_or_later_without_a_signature(records: Records, to: JobState) -> None:
    job = package_of(records)[0]
    with pytest.raises(RecordRefused):
        records.advance([move(job, to)])
    assert records.job(job.id).state is S.RECEIVED


def test_a_final_job_waits_for_nothing(records: Records) -> None:
    job = package_of(records)[0]
    with pytest.raises(RecordRefused):
        records.advance([move(job, S.CANCELLED, wait_until_at=NOW)])


def test_the_sweep_rings_what_waits_no_longer(records: Records) -> None:
    jobs = package_of(records, 4)
    later = NOW + timedelta(hours=1)
    error = JobError("UNAVAILABLE", "silent")
    records.advance([move(jobs[0], S.RECEIVED, error=error, wait_until_at=later)])
    records.advance([move(jobs[1], S.INSPECTED, at=NOW + timedelta(minutes=9))])
    records.advance([move(jobs[2], S.CANCELLED)])
    states = [S.RECEIVED, S.INSPECTED]
    assert records.jobs_to_ring(NOW, states) == [jobs[3].id, jobs[1].id]
    assert records.jobs_to_ring(later, states) == [jobs[3].id, jobs[0].id, jobs[1].id]
    assert records.jobs_to_ring(later, [S.INSPECTED]) == [jobs[1].id]
    assert records.jobs_to_ring(later, states, limit=1) == [jobs[3].id]
    quiet = NOW + timedelta(minutes=5)
    assert records.jobs_to_ring(later, states, quiet_since_at=quiet) == [jobs[3].id, jobs[0].id]


# signing


def test_a_claim_taken_up_again_is_the_claim_that_was_made(records: Records) -> None:
    (job_id,) = stamped(records)
    first = claim(records, job_id)
    count = records.verify_events()
    assert claim(records, job_id, at=NOW + timedelta(days=1)) == first == records.claim_of(job_id)
    assert records.job(job_id).state is S.SIGNING
    assert records.verify_events() == count


def test_a_claim_is_for_one_certificate(records: Records) -> None:
    (job_id,) = stamped(records)
    records.add_certificate(OTHER)
    claim(records, job_id)
    with pytest.raises(AlreadyBound):
        claim(records, job_id, fingerprint=OTHER.fingerprint)


def test_only_a_stamped_file_is_claimed(records: Records) -> None:
    records.add_certificate(CERTIFICATE)
    job = package_of(records)[0]
    with pytest.raises(StaleState):
        claim(records, job.id)
    with pytest.raises(NotFound):
        claim(records, "nothing")
    assert records.claim_of(job.id) is None


def test_a_claim_needs_a_recorded_certificate(records: Records) -> None:
    (job_id,) = stamped(records)
    with pytest.raises(RecordRefused):
        claim(records, job_id, fingerprint="e" * 64)
    assert records.job(job_id).state is S.STAMPED


def test_a_second_signature_is_not_recorded(records: Records) -> None:
    (job_id,) = stamped(records)
    claim(records, job_id)
    records.record_signature(job_id, ("5" * 64, 10), actor="w", at=NOW)
    assert records.job(job_id).state is S.SIGNED
    count = records.verify_events()
    with pytest.raises(AlreadyBound):
        records.record_signature(job_id, ("6" * 64, 10), actor="w", at=NOW)
    with pytest.raises(StaleState):
        records.record_signature(job_id, ("5" * 64, 10), actor="w", at=NOW)
    with pytest.raises(StaleState):
        claim(records, job_id)
    made = records.claim_of(job_id)
    assert made is not None
    assert made.output_digest == records.outputs(job_id)[S.SIGNED].digest == "5" * 64
    assert records.verify_events() == count


def test_an_unclaimed_signature_is_not_recorded(records: Records) -> None:
    (job_id,) = stamped(records)
    with pytest.raises(StaleState):
        records.record_signature(job_id, ("5" * 64, 10), actor="w", at=NOW)


def test_a_chunk_is_claimed_and_signed_in_one_transaction_each(records: Records) -> None:
    ids = stamped(records, 5)
    claims = [NewClaim(job_id, "c" * 64, "Sig1") for job_id in ids]
    assert [one.job_id for one in records.claim_signatures(claims, actor="w", at=NOW)] == ids
    signatures = [NewSignature(job_id, f"{number:064x}", 9) for number, job_id in enumerate(ids)]
    with pytest.raises(StaleState):
        records.record_signatures([*signatures, NewSignature("nothing", "0" * 64, 1)], actor="w", at=NOW)
    assert {records.job(job_id).state for job_id in ids} == {S.SIGNING}
    records.record_signatures(signatures, actor="w", at=NOW)
    assert {records.job(job_id).state for job_id in ids} == {S.SIGNED}


# seals


def test_a_seal_comes_back_by_name_and_by_id(records: Records) -> None:
    records.add_seal(SEAL, actor="operator", at=NOW)
    records.add_seal(SEAL, actor="operator", at=NOW)
    assert records.seal("公章") == records.seal(SEAL.id) == SEAL
    assert records.seals() == [SEAL]
    assert records.verify_events() == 1


def test_a_name_belongs_to_one_seal(records: Records) -> None:
    records.add_seal(SEAL, actor="operator", at=NOW)
    with pytest.raises(AlreadyBound):
        records.add_seal(replace(SEAL, id="another-openseal"), actor="operator", at=NOW)
    with pytest.raises(AlreadyBound):
        records.add_seal(replace(SEAL, width_mm=40.0), actor="operator", at=NOW)


@pytest.mark.parametrize(
    "changes",
    [{"width_mm": 70.1}, {"height_mm": 0.0}, {"image_digest": "x"}, {"valid_until_at": NOW - timedelta(1)}],
)
def test_a_seal_that_cannot_be_is_refused(records: Records, changes: dict[str, object]) -> None:
    with pytest.raises(RecordRefused):
        records.add_seal(replace(SEAL, **changes), actor="operator", at=NOW)  # type: ignore[arg-type]


def test_a_seal_is_bound_to_one_certificate(records: Records) -> None:
    records.add_seal(SEAL, actor="operator", at=NOW)
    for certificate in (CERTIFICATE, CERTIFICATE, OTHER):
        records.add_certificate(certificate)
    assert records.certificate(CERTIFICATE.fingerprint) == CERTIFICATE
    assert records.bound_certificate(SEAL.id) is None
    with pytest.raises(NotFound):
        records.bind_seal(SEAL.id, "e" * 64, actor="operator", at=NOW)
    with pytest.raises(NotFound):
        records.bind_seal("nothing", "c" * 64, actor="operator", at=NOW)
    for _ in range(2):
        records.bind_seal(SEAL.id, "c" * 64, actor="operator", at=NOW)
    with pytest.raises(AlreadyBound):
        records.bind_seal(SEAL.id, OTHER.fingerprint, actor="operator", at=NOW)
    assert records.bound_certificate(SEAL.id) == "c" * 64
    assert records.verify_events() == 2


def test_a_certificate_that_cannot_be_is_refused(records: Records) -> None:
    with pytest.raises(RecordRefused):
        records.add_certificate(replace(CERTIFICATE, fingerprint="C" * 64))


def test_a_seal_keeps_its_pattern_and_its_text_slots(records: Records) -> None:
    slots = ({"name": "日期", "x_mm": 20.0, "y_mm": 44.0, "w_mm": 30.0, "h_mm": 4.0, "max_chars": 20},)
    seal = replace(SEAL, micro_pattern=True, text_slots=slots)
    records.add_seal(seal, actor="alice", at=NOW)
    records.add_seal(seal, actor="alice", at=NOW)
    assert records.seal(seal.name) == seal
    with pytest.raises(AlreadyBound):
        records.add_seal(replace(seal, text_slots=()), actor="alice", at=NOW)


ORIGIN = OriginRecord("投标函.docx", "e" * 64, 1234, "converted", "LibreOffice 7.4", ({"code": "x"},))


def test_what_came_in_is_recorded_with_the_job_made_of_it(records: Records) -> None:
    package = NewPackage("a" * 64, "包一", "b" * 64)
    jobs = [NewJob("投标函.pdf", "1" * 64, 5, ORIGIN), NewJob("b.pdf", "2" * 64, 5)]
    record, _ = records.open_package(package, jobs, actor="alice", at=NOW)
    made, came = (job.id for job in records.jobs(record.id))
    assert records.origins(record.id) == {made: ORIGIN}
    assert (records.origin(made), records.origin(came)) == (ORIGIN, None)
    received = [json.loads(event.detail) for event in records.events(made) if event.act == "received"]
    assert received[0]["made_of"] == {
        "name": "投标函.docx",
        "digest": "e" * 64,
        "how": "converted",
        "tool": "LibreOffice 7.4",
    }


def test_what_came_in_stays_what_it_was(records: Records) -> None:
    package = NewPackage("a" * 64, "包一", "b" * 64)
    records.open_package(package, [NewJob("a.pdf", "1" * 64, 5, ORIGIN)], actor="alice", at=NOW)
    for change in ("UPDATE job_origins SET name = 'x'", "DELETE FROM job_origins"):
        with (
            pytest.raises(RecordRefused, match="stays what it was"),
            records._database.writing() as connection,
        ):
            connection.execute(sa.text(change))


def test_an_origin_with_a_name_that_cannot_be_is_refused(records: Records) -> None:
    package = NewPackage("a" * 64, "包一", "b" * 64)
    for wrong in (replace(ORIGIN, name=""), replace(ORIGIN, digest="no digest")):
        with pytest.raises(RecordRefused):
            records.open_package(package, [NewJob("a.pdf", "1" * 64, 5, wrong)], actor="alice", at=NOW)
