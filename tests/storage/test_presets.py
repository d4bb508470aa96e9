"""Presets: every version is kept, the newest one counts, and the log says who changed what."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from storage import presets
from storage.errors import NotFound, RecordRefused
from storage.records import Records
from storage.schema import plan_presets
from tests.storage.conftest import NOW

FIRST, SECOND = "1" * 64, "2" * 64


def _save(records: Records, name: str, digest: str, *, minutes: int = 0) -> int:
    at = NOW + timedelta(minutes=minutes)
    return records.save_preset(name, digest, actor="li (signer)", at=at).version


def test_a_plan_saved_again_is_its_next_version(records: Records) -> None:
    assert _save(records, "施工投标文件", FIRST) == 1
    assert _save(records, "施工投标文件", SECOND, minutes=1) == 2
    assert records.preset("施工投标文件").plan_digest == SECOND
    kept = records.preset_versions("施工投标文件")
    assert [(one.version, one.plan_digest) for one in kept] == [(2, SECOND), (1, FIRST)]
    assert [event.act for event in records.events()] == ["preset_saved", "preset_saved"]


def test_the_same_plan_again_changes_nothing(records: Records) -> None:
    assert _save(records, "a", FIRST) == _save(records, "a", FIRST, minutes=1) == 1
    assert len(list(records.events())) == 1


def test_a_removed_preset_is_gone_but_its_versions_stay(records: Records) -> None:
    _save(records, "a", FIRST)
    _save(records, "b", FIRST)
    assert records.remove_preset("a", actor="li (signer)", at=NOW).version == 2
    assert [one.name for one in records.presets()] == ["b"]
    with pytest.raises(NotFound, match="no preset 'a'"):
        records.preset("a")
    with pytest.raises(NotFound):
        records.remove_preset("a", actor="li (signer)", at=NOW)
    assert [one.plan_digest for one in records.preset_versions("a")] == [None, FIRST]
    assert _save(records, "a", FIRST) == 3
    assert [one.version for one in records.presets()] == [3, 1]


@pytest.mark.parametrize(("name", "digest"), [("", FIRST), ("长" * 81, FIRST), ("a", "no digest")])
def test_what_is_no_preset_is_refused(records: Records, name: str, digest: str) -> None:
    with pytest.raises(RecordRefused):
        _save(records, name, digest)
    assert records.presets() == []


def test_there_are_not_more_presets_than_the_limit(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "MAX_PRESETS", 1)
    _save(records, "a", FIRST)
    assert _save(records, "a", SECOND) == 2
    with pytest.raises(RecordRefused, match="kept already"):
        _save(records, "b", FIRST)


def test_a_version_stays_as_it_was_saved(records: Records) -> None:
    _save(records, "a", FIRST)
    for change in (sa.update(plan_presets).values(plan_digest=SECOND), sa.delete(plan_presets)):
        with pytest.raises(RecordRefused), records._database.writing() as connection:
            connection.execute(change)
