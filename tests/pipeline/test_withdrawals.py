"""What is taken back: unsigned it leaves the line, signed it is voided; the claim decides between them."""

import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from pipeline.clock import utc_now
from pipeline.errors import Forbidden, WrongState
from pipeline.permissions import Actor, Role
from pipeline.runner import Runner
from pipeline.wiring import App
from stages.authorities import fingerprint_of
from stages.crypto.cms import make_detached
from stages.errors import SigningRefused, TimestampUnavailable
from stages.void import parse_void_record, sign_void_record, verify_void
from storage.errors import AlreadyBound, NotFound, RecordRefused
from storage.schema import JobState
from tests.pipeline.conftest import run_all, submit
from tests.pipeline.test_crashes import Plug, Pulled

WHY = "投标报价有误，重新盖章"


def _acts(app: App, job_id: str) -> Counter[str]:
    return Counter(event.act for event in app.records.events(job_id))


def test_what_is_not_signed_yet_leaves_the_line_and_is_never_signed(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    package_id = submit(app, package, plan)
    taken = app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor)
    assert [(one.file, one.state, one.void, one.error) for one in taken] == [
        ("a.pdf", JobState.CANCELLED, None, None),
        ("b.pdf", JobState.CANCELLED, None, None),
    ]
    run_all(app, package_id)
    submit(app, package, plan)  # the same command again does not bring them back
    run_all(app, package_id)
    for result in app.bids.results(package_id, tmp_path / "out", actor=app.actor):
        assert (result.state, result.output, result.signatures) == (JobState.CANCELLED, None, 0)
        assert result.error is not None
        assert result.error["name"] == "WRONG_STATE"  # not done, whoever asks by script
        assert WHY in str(result.error["message_zh"])
    acts = _acts(app, taken[0].job_id)
    assert acts["withdraw"] == 1
    assert not {"signature_claimed", "signed"} & set(acts)


def test_one_file_is_withdrawn_and_the_others_go_on(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="a.pdf")
    run_all(app, package_id)
    states = [job.state for job in app.records.jobs(package_id)]
    assert states == [JobState.CANCELLED, JobState.ARCHIVED]


def test_an_archived_document_is_voided_by_a_signed_record_and_keeps_its_bytes(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job = app.records.jobs(package_id)[0]
    before = app.archive.get(job.id, tmp_path / "before", actor=app.actor)
    void = app.withdrawals.void(job.id, reason=f" {WHY} ", actor=app.actor)
    after = app.archive.get(job.id, tmp_path / "after", actor=app.actor)
    for role, path in before.items():
        assert Path(after[role]).read_bytes() == Path(path).read_bytes()
    record, cms = (Path(after[role]).read_bytes() for role in ("void", "void_signature"))
    said = parse_void_record(record)
    archived = app.records.archive_of(job.id)
    assert (said.archive_id, said.document.sha256) == (job.id, archived.signed_digest)
    assert (said.document.signature_field, said.reason, said.by) == ("Signature1", WHY, void.voided_by)
    assert app.records.archive_of(job.id) == archived
    verdict = verify_void(
        record,
        cms,
        app.trust,
        utc_now(),
        archive_id=job.id,
        sha256=str(archived.signed_digest),
        certificate=said.document.certificate,
    )
    assert verdict.indication == "TOTAL-PASSED"
    assert _acts(app, job.id)["voided"] == 1
    app.records.verify_events()


def test_a_voided_document_says_so_wherever_it_is_shown(
    app: App, package: Path, plan: Path, tmp_path: Path
) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    taken = app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="a.pdf")
    assert taken[0].void is not None
    found = {hit["file"]: hit["void"] for hit in app.archive.find(actor=app.actor)}
    assert found["b.pdf"] is None
    assert (found["a.pdf"]["reason"], found["a.pdf"]["by"]) == (WHY, taken[0].void.voided_by)
    assert app.archive.show("a.pdf", actor=app.actor)["void"] == found["a.pdf"]
    proved = app.archive.verify("a.pdf", actor=app.actor)
    assert proved["void"]["indication"] == "TOTAL-PASSED"
    assert proved["void"]["reason"] == WHY
    assert app.archive.verify("b.pdf", actor=app.actor)["void"] is None
    results = app.bids.results(package_id, tmp_path / "out", actor=app.actor)
    void, good = results
    assert (void.output, good.error, good.void) == (None, None, None)
    assert void.error is not None
    assert WHY in str(void.error["message"])
    assert good.output is not None


def test_a_void_record_that_was_changed_is_seen(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job = app.records.jobs(package_id)[0]
    void = app.withdrawals.void(job.id, reason=WHY, actor=app.actor)
    record, cms = (app.store.read(digest) for digest in (void.record_digest, void.signature_digest))
    sha256 = str(app.records.archive_of(job.id).signed_digest)

    ours = app.keyring.signer(app.key_uri)
    certificate = fingerprint_of(ours.certificate)

    def judged(record: bytes = record, cms: bytes = cms, archive_id: str = job.id) -> str:
        return verify_void(
            record,
            cms,
            app.trust,
            utc_now(),
            archive_id=archive_id,
            sha256=sha256,
            certificate=certificate,
        ).indication

    assert judged() == "TOTAL-PASSED"
    assert judged(record=record.replace(b"void-1", b"void-2")) == "TOTAL-FAILED"
    assert judged(record=record.replace(WHY.encode(), b"x")) == "TOTAL-FAILED"
    assert judged(archive_id="another") == "TOTAL-FAILED"
    assert judged(cms=b"\x30\x00") == "TOTAL-FAILED"
    bare = make_detached(ours, hashlib.sha256(record).digest(), signed_at=utc_now())
    assert judged(cms=bare) == "TOTAL-FAILED"  # no timestamp
    # Another's key, as trusted as ours: whoever can write to the store voids nothing with it.
    other = app.keyring.signer(app.pki.maker_uri)
    forged = record.replace(certificate.encode(), fingerprint_of(other.certificate).encode())
    for one in (record, forged):
        signed = sign_void_record(one, other, app.authority, app.trust, nonce=1, now=utc_now())
        assert judged(record=one, cms=signed) == "TOTAL-FAILED"
    assert judged(cms=sign_void_record(record, ours, app.authority, app.trust, nonce=1, now=utc_now())) == (
        "TOTAL-PASSED"
    )
    assert judged(record=forged, cms=cms) == "TOTAL-FAILED"


def test_voiding_twice_is_refused(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job = app.records.jobs(package_id)[0]
    app.withdrawals.void(job.id, reason=WHY, actor=app.actor)
    with pytest.raises(AlreadyBound, match="void already"):
        app.withdrawals.void(job.id, reason=WHY, actor=app.actor)
    (again,) = app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="a.pdf")
    assert isinstance(again.error, AlreadyBound)
    assert _acts(app, job.id)["voided"] == 1


def test_two_who_void_at_once_make_one_record(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job, together = app.records.jobs(package_id)[0], Barrier(2)

    def void(_: int) -> str:
        together.wait()
        try:
            app.withdrawals.void(job.id, reason=WHY, actor=app.actor)
        except AlreadyBound:
            return "second"
        return "first"

    _ = app.withdrawals
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(void, range(2))) == ["first", "second"]
    assert _acts(app, job.id)["voided"] == 1


@pytest.mark.parametrize("reason", ["", "  ", "长" * 1_001])
def test_taking_back_needs_a_reason(app: App, package: Path, plan: Path, reason: str) -> None:
    package_id = submit(app, package, plan)
    with pytest.raises(RecordRefused, match="reason"):
        app.withdrawals.withdraw(package_id, reason=reason, actor=app.actor)
    with pytest.raises(RecordRefused, match="reason"):
        app.withdrawals.void(app.records.jobs(package_id)[0].id, reason=reason, actor=app.actor)


def test_what_is_not_there_is_not_taken_back(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    with pytest.raises(NotFound):
        app.withdrawals.withdraw("nothing", reason=WHY, actor=app.actor)
    with pytest.raises(NotFound, match=r"no file c\.pdf; its files: "):
        app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="c.pdf")
    with pytest.raises(NotFound):
        app.withdrawals.void(app.records.jobs(package_id)[0].id, reason=WHY, actor=app.actor)


@pytest.mark.parametrize("role", [Role.ARCHIVIST, Role.SEAL_OPERATOR])
def test_only_who_signs_takes_back(app: App, role: Role) -> None:
    somebody = Actor("li", frozenset({role}))
    with pytest.raises(Forbidden):
        app.withdrawals.withdraw("x", reason=WHY, actor=somebody)
    with pytest.raises(Forbidden):
        app.withdrawals.void("x", reason=WHY, actor=somebody)


def test_only_the_key_it_was_signed_with_voids_it(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    other = app.keyring.signer(app.pki.maker_uri)
    app.withdrawals._signers = type("Other", (), {"signer": lambda self, uri: other})()
    with pytest.raises(SigningRefused, match="only the key it was signed with"):
        app.withdrawals.void(app.records.jobs(package_id)[0].id, reason=WHY, actor=app.actor)


def test_a_silent_authority_leaves_nothing_half_voided(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job = app.records.jobs(package_id)[0]
    authority = app.withdrawals._authority

    class Silent:
        name = "silent"

        def ask(self, request: bytes) -> bytes:
            raise TimestampUnavailable("nobody answers", zh="无应答")

    app.withdrawals._authority = Silent()
    with pytest.raises(TimestampUnavailable):
        app.withdrawals.void(job.id, reason=WHY, actor=app.actor)
    assert app.records.void_of(job.id) is None
    app.withdrawals._authority = authority
    app.withdrawals.void(job.id, reason=WHY, actor=app.actor)


def _run_until(app: App, package_id: str, state: JobState) -> None:
    """Take the first document alone to a state, and stop there as a worker that died would."""
    job = app.records.jobs(package_id)[0]
    steps = app.runner.steps
    real = type(steps).step_from

    def step_from(self: object, at: JobState) -> Callable[..., object] | None:
        return None if at is state else real(steps, at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(steps), "step_from", step_from)
        app.runner.run_alone(job.id)
    assert app.records.job(job.id).state is state


@pytest.mark.parametrize("state", [JobState.PLANNED, JobState.STAMPED])
def test_a_stamped_document_whose_worker_died_is_withdrawn(
    app: App, package: Path, plan: Path, state: JobState
) -> None:
    package_id = submit(app, package, plan)
    _run_until(app, package_id, state)
    (taken,) = app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="a.pdf")
    assert taken.state is JobState.CANCELLED
    run_all(app, package_id)
    assert "signed" not in _acts(app, taken.job_id)


@pytest.mark.parametrize("state", [JobState.SIGNING, JobState.SIGNED, JobState.VERIFIED])
def test_what_was_claimed_first_is_not_withdrawn_but_voided_later(
    app: App, package: Path, plan: Path, state: JobState
) -> None:
    package_id = submit(app, package, plan)
    _run_until(app, package_id, state)
    (refused,) = app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="a.pdf")
    assert isinstance(refused.error, WrongState)
    assert refused.state is state
    run_all(app, package_id)
    (voided,) = app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="a.pdf")
    assert voided.void is not None


def test_withdrawing_and_signing_at_once_have_one_winner(app: App, package: Path, plan: Path) -> None:
    """A worker that is just before its claim, and a person who withdraws: several rounds of the race."""
    outcomes = Counter[str]()
    for number in range(6):
        source = package / "a.pdf"
        source.write_bytes(source.read_bytes() + b"\n%% %d\n" % number)
        package_id = submit(app, package, plan)
        _run_until(app, package_id, JobState.STAMPED)
        job = app.records.jobs(package_id)[0]
        together = Barrier(2)
        _ = (app.runner, app.withdrawals)
        with ThreadPoolExecutor(2) as pool:

            def work(job_id: str = job.id, together: Barrier = together) -> None:
                together.wait()
                app.runner.run_alone(job_id)

            def take_back(package_id: str = package_id, together: Barrier = together) -> bool:
                together.wait()
                (one,) = app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor, file="a.pdf")
                return one.error is None

            worker, person = pool.submit(work), pool.submit(take_back)
            worker.result()
            is_taken = person.result()
        acts = _acts(app, job.id)
        assert acts["withdraw"] == int(is_taken)
        assert acts["signed"] == int(not is_taken)
        assert app.records.job(job.id).state is (JobState.CANCELLED if is_taken else JobState.VERIFIED)
        outcomes["taken" if is_taken else "signed"] += 1
    assert sum(outcomes.values()) == 6
    app.records.verify_events()


def test_a_key_whose_certificate_has_expired_voids_nothing(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job = app.records.jobs(package_id)[0]
    app.withdrawals._clock = lambda: utc_now() + timedelta(days=4000)
    with pytest.raises(SigningRefused, match="expired"):
        app.withdrawals.void(job.id, reason=WHY, actor=app.actor)
    assert app.records.void_of(job.id) is None


def test_a_plug_pulled_while_voiding_costs_nothing(app: App, package: Path, plan: Path) -> None:
    package_id = submit(app, package, plan)
    run_all(app, package_id)
    job = app.records.jobs(package_id)[0]
    service = app.withdrawals
    real = (service._store, service._records)
    pulls = 0
    for at_write in range(1, 20):
        count = [at_write]
        service._store = Pulled(app.store, ("put_bytes", "retain"), count, after=at_write % 2 == 0)
        service._records = Pulled(app.records, ("void_archive",), count, after=False)
        try:
            service.void(job.id, reason=WHY, actor=app.actor)
        except Plug:
            pulls += 1
            assert app.records.void_of(job.id) is None
        else:
            break
        finally:
            service._store, service._records = real
    assert pulls == 5
    assert _acts(app, job.id)["voided"] == 1
    assert app.archive.verify(job.id, actor=app.actor)["void"]["indication"] == "TOTAL-PASSED"


def test_a_withdrawn_document_is_left_by_the_worker_that_had_it_in_hand(
    app: App, package: Path, plan: Path
) -> None:
    """The withdrawal comes after the worker has read the row and before it records: its result is dropped."""
    package_id = submit(app, package, plan)
    real = app.records

    class Late:
        def __getattr__(self, name: str) -> object:
            if name == "claim_signatures":
                app.withdrawals.withdraw(package_id, reason=WHY, actor=app.actor)
            return getattr(real, name)

    steps = replace(app.runner.steps)
    runner = Runner(records=Late(), store=app.store, steps=steps, scratch=app.scratch)  # type: ignore[arg-type]
    runner.run(app.records.jobs(package_id)[0].id)
    assert {job.state for job in app.records.jobs(package_id)} == {JobState.CANCELLED}
