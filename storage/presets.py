"""The records of plans kept under names: every version of each, the newest one in force."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from storage.engine import Database
from storage.errors import NotFound, RecordRefused
from storage.events import Writing, writing
from storage.objects import Digest
from storage.rows import PresetRecord
from storage.schema import plan_presets

MAX_PRESET_NAME_CHARS = 80
MAX_PRESETS = 1_000


class PresetBook:
    """The part of the records that knows presets."""

    _database: Database

    def save_preset(self, name: str, plan_digest: Digest, *, actor: str, at: datetime) -> PresetRecord:
        """Keep a plan under a name as its newest version; the plan that is in force already changes nothing.

        Raises:
            RecordRefused: a name that is empty or over MAX_PRESET_NAME_CHARS, more than MAX_PRESETS names,
                no SHA-256.
        """
        if not 0 < len(name) <= MAX_PRESET_NAME_CHARS:
            raise RecordRefused(
                f"a preset's name has 1 to {MAX_PRESET_NAME_CHARS} characters; choose another",
                zh=f"方案名称须为 1 至 {MAX_PRESET_NAME_CHARS} 个字符，请换一个",
            )
        with writing(self._database) as transaction:
            versions = _versions(transaction.connection, name)
            if versions and versions[0].plan_digest == plan_digest:
                return versions[0]
            if not versions and _count(transaction.connection) >= MAX_PRESETS:
                raise RecordRefused(
                    f"{MAX_PRESETS} presets are kept already; reuse one of their names",
                    zh=f"方案已达 {MAX_PRESETS} 个，请沿用已有名称",
                )
            return _append(transaction, name, versions, plan_digest, actor=actor, at=at)

    def remove_preset(self, name: str, *, actor: str, at: datetime) -> PresetRecord:
        """Take a preset out of use; its versions stay, and it may be saved again.

        Raises:
            NotFound: no preset of that name is in use.
        """
        with writing(self._database) as transaction:
            versions = _versions(transaction.connection, name)
            if not versions or versions[0].plan_digest is None:
                raise _no_preset(name)
            return _append(transaction, name, versions, None, actor=actor, at=at)

    def preset(self, name: str) -> PresetRecord:
        """Return the version in force.

        Raises:
            NotFound: no preset of that name is in use.
        """
        with self._database.reading() as connection:
            versions = _versions(connection, name)
        if not versions or versions[0].plan_digest is None:
            raise _no_preset(name)
        return versions[0]

    def preset_versions(self, name: str) -> Sequence[PresetRecord]:
        """Return every version of a preset, newest first, removals with them."""
        with self._database.reading() as connection:
            return _versions(connection, name)

    def presets(self) -> list[PresetRecord]:
        """Return the version in force of every preset in use, by name."""
        newest = sa.select(plan_presets.c.name, sa.func.max(plan_presets.c.version).label("newest"))
        newest_of = newest.group_by(plan_presets.c.name).subquery()
        query = (
            sa.select(plan_presets)
            .join(newest_of, plan_presets.c.name == newest_of.c.name)
            .where(plan_presets.c.version == newest_of.c.newest)
            .where(plan_presets.c.plan_digest.is_not(None))
            .order_by(plan_presets.c.name)
        )
        with self._database.reading() as connection:
            return [PresetRecord(**row._mapping) for row in connection.execute(query)]


def _append(
    transaction: Writing,
    name: str,
    versions: Sequence[PresetRecord],
    plan_digest: Digest | None,
    *,
    actor: str,
    at: datetime,
) -> PresetRecord:
    version = versions[0].version + 1 if versions else 1
    record = PresetRecord(name=name, version=version, plan_digest=plan_digest, saved_at=at, saved_by=actor)
    transaction.connection.execute(sa.insert(plan_presets), vars(record))
    act = "preset_removed" if plan_digest is None else "preset_saved"
    detail = {"preset": name, "version": version, "plan": plan_digest}
    transaction.append(act, detail, actor=actor, at=at)
    return record


def _versions(connection: sa.Connection, name: str) -> list[PresetRecord]:
    query = sa.select(plan_presets).where(plan_presets.c.name == name)
    rows = connection.execute(query.order_by(plan_presets.c.version.desc()))
    return [PresetRecord(**row._mapping) for row in rows]


def _count(connection: sa.Connection) -> int:
    return connection.execute(sa.select(sa.func.count(sa.distinct(plan_presets.c.name)))).scalar_one()


def _no_preset(name: str) -> NotFound:
    return NotFound(
        f"no preset {name!r} is kept; list the presets, or save it first",
        zh=f"没有名为“{name}”的方案，请查看方案列表或先保存",
    )
