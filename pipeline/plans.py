"""Plans as batch signers keep them: described once for a kind of tender, under a name, and used again."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from pipeline.clock import Clock
from pipeline.permissions import Actor, Permission, check_may
from stages.errors import PlanRefused
from stages.plan_rules import parse_plan
from stages.plan_yaml import MAX_PLAN_BYTES
from storage.errors import NotFound
from storage.objects import ObjectStore
from storage.records import Records
from storage.rows import PresetRecord

BUILTIN_FOLDER = Path(__file__).parent / "builtin_plans"
SUFFIXES = (".yaml", ".yml", ".json")
"""A plan with one of these names is a file, never a preset."""
MAX_DATA_DEPTH = 12


@dataclass(frozen=True)
class PlanPreset:
    """A plan under a name.

    Attributes:
        version: 0 for one that comes with the program.
        seals: the names of the seals it uses.
        saved_at, saved_by: None and empty for one that comes with the program.
    """

    name: str
    version: int
    plan: bytes
    seals: tuple[str, ...]
    document_type: str
    rule_count: int
    saved_at: datetime | None = None
    saved_by: str = ""

    @property
    def is_builtin(self) -> bool:
        """Whether it came with the program and nobody has changed it."""
        return self.version == 0


class Plans:
    """The service of kept plans."""

    def __init__(self, *, records: Records, store: ObjectStore, clock: Clock) -> None:
        self._records = records
        self._store = store
        self._clock = clock

    def list(self, *, actor: Actor) -> Sequence[PlanPreset]:
        """Return every preset: those saved here by name, then those that come with the program.

        One saved under the name of a built-in one stands in its place.
        """
        check_may(actor, Permission.CHECK_BIDS)
        kept = [self._kept(record) for record in self._records.presets()]
        names = {preset.name for preset in kept}
        return [*kept, *(preset for preset in builtin_presets() if preset.name not in names)]

    def show(self, name: str, *, actor: Actor, version: int | None = None) -> PlanPreset:
        """Return a preset, the version in force unless another is asked for.

        Raises:
            NotFound: there is none of that name, or not that version of it.
        """
        check_may(actor, Permission.CHECK_BIDS)
        wanted = check_preset_name(name)
        versions = self._records.preset_versions(wanted)
        builtin = next((preset for preset in builtin_presets() if preset.name == wanted), None)
        if version is None:
            if versions and versions[0].plan_digest is not None:
                return self._kept(versions[0])
            if builtin is not None:
                return builtin
        else:
            for record in versions:
                if record.version == version and record.plan_digest is not None:
                    return self._kept(record)
            if version == 0 and builtin is not None:
                return builtin
        raise self._not_found(wanted, version)

    def versions(self, name: str, *, actor: Actor) -> Sequence[PresetRecord]:
        """Return every version of a preset that was saved, newest first, removals with them."""
        check_may(actor, Permission.CHECK_BIDS)
        return self._records.preset_versions(check_preset_name(name))

    def save(self, name: str, plan: bytes, *, actor: Actor) -> PlanPreset:
        """Keep a plan under a name; the name's earlier versions stay, and so does what was signed by them.

        Raises:
            PlanRefused: it is no plan, or the name is none.
            RecordRefused: there are too many presets.
        """
        by = check_may(actor, Permission.EDIT_PLANS)
        wanted = check_preset_name(name)
        parse_plan(plan)
        kept = self._store.put_bytes(plan)
        return self._kept(self._records.save_preset(wanted, kept.digest, actor=by, at=self._clock()))

    def remove(self, name: str, *, actor: Actor) -> None:
        """Take a preset out of use; what was signed by it stays as it is.

        Raises:
            NotFound: nobody saved one of that name.
        """
        by = check_may(actor, Permission.EDIT_PLANS)
        self._records.remove_preset(check_preset_name(name), actor=by, at=self._clock())

    def given(self, reference: str, *, actor: Actor) -> bytes:
        """Return the plan a person means by a path or by a preset's name; a file goes first.

        Raises:
            PlanRefused: the file cannot be read.
            NotFound: there is neither a file nor a preset of that name.
        """
        path = Path(reference)
        if path.suffix.lower() in SUFFIXES or path.is_file() or "/" in reference:
            return read_plan(path)
        return self.show(reference, actor=actor).plan

    def _kept(self, record: PresetRecord) -> PlanPreset:
        return _preset(
            record.name,
            self._store.read(record.plan_digest or ""),
            version=record.version,
            saved_at=record.saved_at,
            saved_by=record.saved_by,
        )

    def _not_found(self, name: str, version: int | None) -> NotFound:
        known = "、".join(
            sorted(
                {record.name for record in self._records.presets()}
                | {preset.name for preset in builtin_presets()}
            )
        )
        which, which_zh = ("", "") if version is None else (f" version {version}", f"第 {version} 版")
        return NotFound(
            f"there is no plan file and no preset {name!r}{which}; presets: {known}",
            zh=f"没有方案文件或名为“{name}”的方案{which_zh}；现有方案：{known}",
        )


def builtin_presets() -> Sequence[PlanPreset]:
    """Return the plans that come with the program, to start from."""
    return [_preset(path.stem, path.read_bytes()) for path in sorted(BUILTIN_FOLDER.glob("*.yaml"))]


def _preset(
    name: str, plan: bytes, *, version: int = 0, saved_at: datetime | None = None, saved_by: str = ""
) -> PlanPreset:
    """Return a preset with what its plan says of itself; one of another program may not."""
    try:
        rules = parse_plan(plan)
    except PlanRefused:
        return PlanPreset(name, version, plan, (), "", 0, saved_at, saved_by)
    return PlanPreset(
        name, version, plan, rules.seals, rules.document_type, len(rules.rules), saved_at, saved_by
    )


def check_preset_name(name: str) -> str:
    """Return a preset's name without surrounding blanks, Unicode NFC.

    Raises:
        PlanRefused: it is empty, could be a path, or cannot be shown.
    """
    clean = unicodedata.normalize("NFC", name).strip()
    is_path = "/" in clean or "\\" in clean or clean.lower().endswith(SUFFIXES) or clean.startswith(".")
    if not clean or is_path or not clean.isprintable():
        raise PlanRefused(
            f"{name[:40]!r} names no preset; use a plain name such as 施工投标文件, without / and .yaml",
            zh=f"“{name[:40]}”不能作方案名称；请用“施工投标文件”这样的名称，不含 / 和 .yaml",
        )
    return clean


def read_plan(path: Path) -> bytes:
    """Return a plan file's bytes, at most one more than a plan may have.

    Raises:
        PlanRefused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_PLAN_BYTES + 1)
    except OSError as error:
        raise PlanRefused(
            f"the plan {path.name} cannot be read ({error.strerror}); check its path",
            zh=f"无法读取用印方案 {path.name}（{error.strerror}），请检查路径",
        ) from error


def plan_of_data(data: object) -> bytes:
    """Return the plan that plain data (of JSON) states, as the YAML it is kept as.

    Raises:
        PlanRefused: it is nested too deeply, or see `plan_rules.parse_plan`.
    """
    if _is_deeper(data, MAX_DATA_DEPTH):
        raise PlanRefused("the plan is nested too deeply; write it flat", zh="用印方案嵌套过深，请简化")
    text: str = yaml.dump(data, Dumper=_PlanDumper, allow_unicode=True, sort_keys=False, width=10_000)
    plan = text.encode(errors="replace")
    parse_plan(plan)
    return plan


class _PlanDumper(yaml.SafeDumper):
    """Safe YAML without aliases, which plans may not have."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _is_deeper(data: object, depth: int) -> bool:
    if isinstance(data, dict):
        return depth == 0 or any(_is_deeper(value, depth - 1) for value in data.values())
    if isinstance(data, list):
        return depth == 0 or any(_is_deeper(value, depth - 1) for value in data)
    return False
