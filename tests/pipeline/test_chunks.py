"""Chunks: every document in exactly one, in order, and everyone means the same ones."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pipeline.chunks import CHUNK_BYTES, CHUNK_FILES, chunk_of, chunks, doorbells_for
from storage.rows import JobRecord
from storage.schema import JobState

AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZES = st.lists(st.one_of(st.integers(1, 1 << 20), st.integers(1, 3 * CHUNK_BYTES)), max_size=100)


def _jobs(sizes: list[int]) -> list[JobRecord]:
    first = JobRecord(
        id="",
        package_id="p",
        name="",
        ordinal=0,
        source_digest="0" * 64,
        source_size_bytes=1,
        state=JobState.RECEIVED,
        created_at=AT,
        updated_at=AT,
        error=None,
        attempts=0,
        wait_until_at=None,
    )
    return [
        replace(first, id=f"p-{number:05}", ordinal=number, source_size_bytes=size)
        for number, size in enumerate(sizes)
    ]


@given(SIZES)
def test_every_document_is_in_one_chunk_in_the_packages_order(sizes: list[int]) -> None:
    jobs = _jobs(sizes)
    assert [job for chunk in chunks(jobs) for job in chunk] == jobs


@given(SIZES)
def test_a_chunk_is_one_large_file_or_small_ones_within_both_limits(sizes: list[int]) -> None:
    for chunk in chunks(_jobs(sizes)):
        assert 1 <= len(chunk) <= CHUNK_FILES
        assert len(chunk) == 1 or sum(job.source_size_bytes for job in chunk) <= CHUNK_BYTES


@given(SIZES, st.sampled_from(JobState), st.data())
def test_chunks_stay_the_same_while_their_documents_move(
    sizes: list[int], state: JobState, data: st.DataObject
) -> None:
    jobs = _jobs(sizes)
    moved = [replace(job, state=state) if data.draw(st.booleans()) else job for job in jobs]
    assert [[job.id for job in chunk] for chunk in chunks(moved)] == [
        [job.id for job in chunk] for chunk in chunks(jobs)
    ]


@given(SIZES, st.data())
def test_one_ring_reaches_every_wanted_document_and_no_chunk_is_rung_twice(
    sizes: list[int], data: st.DataObject
) -> None:
    jobs = _jobs(sizes)
    wanted = [job.id for job in jobs if data.draw(st.booleans())]
    rung = doorbells_for(jobs, wanted)
    reached = [[job.id for job in chunk_of(jobs, job_id)] for job_id in rung]
    assert len({ids[0] for ids in reached}) == len(rung)
    assert set(wanted) <= {job_id for ids in reached for job_id in ids}
    assert all(set(ids) & set(wanted) for ids in reached)


def test_a_job_of_another_package_is_in_no_chunk() -> None:
    assert chunk_of(_jobs([1, 2]), "q-00000") == []
