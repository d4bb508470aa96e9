"""Archived documents in the records: putting them there, finding them, holding them."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage.errors import NotFound, RecordRefused, Retained, StaleState
from storage.records import Records
from storage.rows import ArchiveEntry, CertificateRecord, Move, NewClaim, NewJob, NewPackage, NewSignature
from storage.schema import JobState
from tests.storage.conftest import NOW

S = JobState
UNTIL = NOW + timedelta(days=3650)


def digest_of(kind: int, number: int) -> str:
    return f"{kind}{number:063x}"


def entry(job_id: str, number: int, signer: str = "某某建设有限公司") -> ArchiveEntry:
    return ArchiveEntry(
        job_id=job_id,
        original_digest=digest_of(1, number),
        signed_digest=digest_of(2, number),
        verdict_digest=digest_of(3, number),
        manifest_digest=digest_of(4, number),
        evidence_digest=digest_of(5, number),
        retain_until_at=UNTIL,
        signer=signer,
        stamped_at=NOW,
    )


def verified(records: Records, *names: str, key: str = "a", **package: str) -> list[str]:
    """Open a package whose documents are all verified."""
    records.add_certificate(CertificateRecord("c" * 64, "CN=s", "CN=ca", NOW, UNTIL))
    new = NewPackage(**{"key": key * 64, "name": "投标文件包", "plan_digest": "b" * 64, **package})  # type: ignore[arg-type]
    jobs = [NewJob(name, digest_of(1, number), 1) for number, name in enumerate(names)]
    record, _ = records.open_package(new, jobs, actor="a", at=NOW)
    ids = [job.id for job in records.jobs(record.id)]

    def advance(before: JobState, after: JobState) -> None:
        records.advance([Move(job_id, before, after, after.value, "w", NOW) for job_id in ids])

    advance(S.RECEIVED, S.STAMPED)
    records.claim_signatures([NewClaim(job_id, "c" * 64, "Sig1") for job_id in ids], actor="w", at=NOW)
    signatures = [NewSignature(job_id, digest_of(2, number), 1) for number, job_id in enumerate(ids)]
    records.record_signatures(signatures, actor="w", at=NOW)
    advance(S.SIGNED, S.TIMESTAMPED)
    advance(S.TIMESTAMPED, S.VERIFIED)
    return ids


def archived(records: Records, *names: str, key: str = "a", **package: str) -> list[str]:
    ids = verified(records, *names, key=key, **package)
    records.archive_jobs([entry(job_id, n) for n, job_id in enumerate(ids)], actor="archiver", at=NOW)
    return ids


def test_archiving_keeps_a_record_and_moves_the_job(records: Records) -> None:
    ids = verified(records, "1.pdf", "2.pdf")
    count = records.verify_events()
    records.archive_jobs([entry(job_id, n) for n, job_id in enumerate(ids)], actor="archiver", at=NOW)
    assert [records.job(job_id).state for job_id in ids] == [S.ARCHIVED, S.ARCHIVED]
    kept = records.archive_of(ids[1])
    assert (kept.signed_digest, kept.retain_until_at, kept.archived_at) == (digest_of(2, 1), UNTIL, NOW)
    assert records.verify_events() == count + 2


def test_archiving_is_all_or_nothing(records: Records) -> None:
    ids = verified(records, "1.pdf", "2.pdf")
    records.archive_jobs([entry(ids[1], 1)], actor="archiver", at=NOW)
    count = records.verify_events()
    with pytest.raises(StaleState):
        records.archive_jobs([entry(ids[0], 0), entry(ids[1], 1)], actor="archiver", at=NOW)
    assert records.job(ids[0]).state is S.VERIFIED
    with pytest.raises(NotFound):
        records.archive_of(ids[0])
    with pytest.raises(RecordRefused):
        records.archive_jobs([replace(entry(ids[0], 0), evidence_digest="x")], actor="archiver", at=NOW)
    records.archive_jobs([], actor="archiver", at=NOW)
    assert records.verify_events() == count


def test_an_archived_document_stays_archived(records: Records) -> None:
    (job_id,) = archived(records, "1.pdf")
    with pytest.raises(RecordRefused):
        records.advance([Move(job_id, S.ARCHIVED, S.CANCELLED, "cancelled", "w", NOW)])
    with pytest.raises(RecordRefused), records._database.writing() as connection:
        connection.execute(sa.text("DELETE FROM archives"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM signature_claims",
        "UPDATE signature_claims SET output_digest = NULL",
        f"UPDATE signature_claims SET output_digest = '{'f' * 64}'",
        "UPDATE signature_claims SET field_name = 'Sig2'",
        f"UPDATE job_outputs SET digest = '{'f' * 64}' WHERE state = 'signed'",
        f"UPDATE jobs SET source_digest = '{'f' * 64}'",
        "UPDATE jobs SET state = 'no such state'",
        "DELETE FROM packages",
    ],
)
def test_the_database_itself_guards_what_was_signed(records: Records, statement: str) -> None:
    verified(records, "1.pdf")
    with pytest.raises(RecordRefused), records._database.writing() as connection:
        connection.execute(sa.text(statement))


def test_documents_are_found_by_every_word_they_are_known_by(records: Records) -> None:
    first = archived(
        records, "商务标/投标函.pdf", "技术标.pdf", project="某某大桥", bidder="甲公司", name="一标段"
    )
    archived(records, "Quote_100%.pdf", key="d", project="隧道", bidder="乙公司", name="二标段")

    def names(text: str = "", **filters: str) -> set[str]:
        return {found.job_name for found in records.find_archives(text, **filters)}  # type: ignore[arg-type]

    everything = {"商务标/投标函.pdf", "技术标.pdf", "Quote_100%.pdf"}
    assert names() == names("建设有限公司") == names("  ") == everything
    assert names("投标函") == {"商务标/投标函.pdf"}
    assert names("大桥 技术") == {"技术标.pdf"}
    assert names("二标段") == names("乙公司") == names("quote") == {"Quote_100%.pdf"}
    assert names("100%") == names("e_1") == {"Quote_100%.pdf"}
    assert names("%%") == names("技_标") == names("大桥 quote") == set()
    assert names(project="某某大桥") == {"商务标/投标函.pdf", "技术标.pdf"}
    assert names(bidder="乙公司", project="某某大桥") == set()
    for kind in range(1, 6):
        assert names(sha256=digest_of(kind, 1).upper()) == {"技术标.pdf"}
    assert names(digest_of(2, 1)) == {"技术标.pdf"}
    assert names(digest_of(2, 1)[:12]) == everything
    (found,) = records.find_archives("技术标")
    assert (found.archive, found.project, found.package_name) == (
        records.archive_of(first[1]),
        "某某大桥",
        "一标段",
    )


def test_found_documents_come_in_pages(records: Records) -> None:
    ids = archived(records, *(f"{number}.pdf" for number in range(5)))
    pages = [records.find_archives(limit=2, offset=offset) for offset in (0, 2, 4, 6)]
    assert [found.archive.job_id for page in pages for found in page] == ids
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert records.find_archives(limit=0) == []


@pytest.mark.parametrize("text", ["x" * 201, "a b c d e f g h i"])
def test_a_search_too_long_is_refused(records: Records, text: str) -> None:
    with pytest.raises(RecordRefused):
        records.find_archives(text)


def test_a_document_is_disposed_of_after_its_retention(records: Records) -> None:
    (job_id,) = archived(records, "1.pdf")
    with pytest.raises(Retained, match="retained until"):
        records.check_disposal(job_id, now=UNTIL - timedelta(seconds=1))
    assert not records.may_dispose(job_id, UNTIL - timedelta(seconds=1))
    assert records.may_dispose(job_id, UNTIL)
    with pytest.raises(NotFound):
        records.may_dispose("nothing", UNTIL)


def test_a_legal_hold_outlasts_the_retention(records: Records) -> None:
    (job_id,) = archived(records, "1.pdf")
    hold = records.place_hold(job_id, "审计", actor="archivist", at=NOW)
    other = records.place_hold(job_id, "诉讼", actor="archivist", at=NOW)
    assert records.holds(job_id) == [hold, other]
    records.lift_hold(hold.id, actor="archivist", at=NOW + timedelta(days=1))
    with pytest.raises(Retained, match="legal hold"):
        records.check_disposal(job_id, now=UNTIL + timedelta(days=1))
    records.lift_hold(other.id, actor="archivist", at=NOW + timedelta(days=1))
    assert records.may_dispose(job_id, UNTIL)
    with pytest.raises(StaleState):
        records.lift_hold(hold.id, actor="archivist", at=NOW + timedelta(days=2))
    acts = [event.act for event in records.events(job_id)]
    assert acts[-4:] == ["hold_placed", "hold_placed", "hold_lifted", "hold_lifted"]


def test_a_hold_needs_a_job_and_a_reason(records: Records) -> None:
    (job_id,) = archived(records, "1.pdf")
    with pytest.raises(NotFound):
        records.place_hold("nothing", "x", actor="a", at=NOW)
    with pytest.raises(NotFound):
        records.lift_hold(99, actor="a", at=NOW)
    for reason in ("", "  ", "x" * 1001):
        with pytest.raises(RecordRefused):
            records.place_hold(job_id, reason, actor="a", at=NOW)
