"""A package uploaded once: looked at, planned, shown page by page, and signed as it was shown."""

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.bids import Bids
from pipeline.documents_json import dry_run_json
from pipeline.dry_runs import dry_run_csv
from pipeline.errors import Forbidden
from pipeline.packages import HeldPackage
from pipeline.page_pictures import PagePictures, PictureWish
from pipeline.permissions import Actor, Permission, check_may
from pipeline.preflight import checked_json
from stages.derive import USUAL_CHOICES, Choices
from stages.documents import BidPackage, InspectedDocument, SourceFile
from stages.packages import open_package
from storage.errors import NotFound
from storage.rows import PackageRecord

MAX_RUNS = 2
"""Dry runs of one package that are kept to be looked at: each holds its files stamped."""
PICTURE_SIDES_PX: Mapping[str, int] = {"small": 420, "large": 1500}

STAGED = "staged.json"
"""Stands in the folder of a package that was staged."""

_RUN_ID = re.compile(r"[0-9a-f]{16}")
_KEPT = TypeAdapter(dict[str, InspectedDocument])
_PACKAGE = TypeAdapter(BidPackage)
_DERIVED = TypeAdapter(dict[str, SourceFile])
_CHOICES = TypeAdapter(Choices)


@dataclass(frozen=True)
class Staged:
    """A package that was uploaded and waits for its plan.

    Attributes:
        folder: everything of it; whoever deletes it, deletes all.
        checked: what pre-flight says of each file, as JSON.
    """

    folder: Path
    owner: str
    held: HeldPackage
    choices: Choices
    checked: Sequence[Mapping[str, Any]]

    @property
    def size_bytes(self) -> int:
        """How large its files are together."""
        return sum(file.size_bytes for file in self.held.package.files)


@dataclass(frozen=True)
class StagedRun:
    """A dry run of a staged package.

    Attributes:
        plan: what would be signed by.
        found: everything it found, as JSON.
    """

    id: str
    folder: Path
    plan: bytes
    found: Mapping[str, Any]


class Staging:
    """The service of uploaded packages; folders come from, and are deleted by, whoever asks."""

    def __init__(self, *, bids: Bids, pictures: PagePictures) -> None:
        self._bids = bids
        self._pictures = pictures

    def stage(self, upload: Path, folder: Path, *, actor: Actor, choices: Choices = USUAL_CHOICES) -> Staged:
        """Open an uploaded package into a folder for good, and look at every file.

        Args:
            folder: exists; the upload lies in it and is deleted when it was unpacked.
            choices: what may be done to a file that cannot be stamped as it is; done once, here.

        Raises:
            InputRefused: the package cannot be opened.
        """
        check_may(actor, Permission.CHECK_BIDS)
        package = open_package(upload, folder)
        files = self._bids.check(HeldPackage(package, folder), actor=actor, choices=choices)
        known = {
            file.looked.source.sha256: file.looked.inspected
            for file in files
            if file.looked.inspected is not None
        }
        derived = {
            given.name: file.looked.source
            for given, file in zip(package.files, files, strict=True)
            if file.looked.source.origin is not None
        }
        document = {
            "owner": actor.name,
            "package": _PACKAGE.dump_python(package, mode="json"),
            "choices": _CHOICES.dump_python(choices, mode="json"),
            "derived": _DERIVED.dump_python(derived, mode="json"),
            "known": _KEPT.dump_python(known, mode="json"),
            "checked": [checked_json(file) for file in files],
        }
        (folder / STAGED).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        if all(file.path != upload for file in package.files):
            upload.unlink(missing_ok=True)
        return self.staged(folder, actor=actor)

    def staged(self, folder: Path, *, actor: Actor, used: bool = True) -> Staged:
        """Return a package staged before.

        Args:
            used: mark its folder as used now, so that it is not cleared away yet.

        Raises:
            NotFound: nothing was staged there.
            Forbidden: somebody else staged it.
        """
        check_may(actor, Permission.CHECK_BIDS)
        try:
            document = json.loads((folder / STAGED).read_text("utf-8"))
        except OSError as error:
            raise NotFound(
                "there is no such uploaded package, or it was cleaned up; upload it again",
                zh="没有这个已上传的文件包，或已被清理，请重新上传",
            ) from error
        if document["owner"] != actor.name:
            raise Forbidden(
                f"this package was uploaded by {document['owner']}; upload it yourself",
                zh="该文件包由他人上传，请自行上传后再操作",
            )
        if used:
            os.utime(folder)
        held = HeldPackage(
            _PACKAGE.validate_json(json.dumps(document["package"])),
            folder,
            _DERIVED.validate_json(json.dumps(document["derived"])),
            _KEPT.validate_json(json.dumps(document["known"])),
        )
        choices = _CHOICES.validate_python(document["choices"])
        return Staged(folder, document["owner"], held, choices, document["checked"])

    def dry_run(self, staged: Staged, plan: bytes, *, actor: Actor) -> StagedRun:
        """Try a plan out and keep what came of it, to be looked at; no key is touched.

        Raises:
            as `Bids.dry_run`.
        """
        runs = staged.folder / "runs"
        run_id = secrets.token_hex(8)
        folder = runs / run_id
        folder.mkdir(parents=True, mode=0o700)
        try:
            held = replace(staged.held, scratch=folder)
            run = self._bids.dry_run(held, plan, actor=actor, choices=staged.choices)
            shown = {
                "found": dry_run_json(run),
                "shown": {
                    str(number): str(run.stamped[file.source.name])
                    for number, file in enumerate(run.files, start=1)
                    if file.source.name in run.stamped
                },
            }
            (folder / "plan.yaml").write_bytes(plan)
            (folder / "marks.csv").write_bytes(dry_run_csv(run))
            (folder / "run.json").write_text(json.dumps(shown, ensure_ascii=False), encoding="utf-8")
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        # Another dry run of the package may be under way: one that is not finished is none to be cleared.
        finished = oldest_first(path.parent for path in runs.glob("*/run.json") if path.parent != folder)
        for old in finished[: max(0, len(finished) + 1 - MAX_RUNS)]:
            shutil.rmtree(old, ignore_errors=True)
        return StagedRun(run_id, folder, plan, shown["found"])

    def run(self, staged: Staged, run_id: str, *, actor: Actor) -> StagedRun:
        """Return a dry run made before.

        Raises:
            NotFound: it is none of the newest MAX_RUNS.
        """
        check_may(actor, Permission.CHECK_BIDS)
        folder, document = _read_run(staged, run_id)
        return StagedRun(run_id, folder, (folder / "plan.yaml").read_bytes(), document["found"])

    def picture(
        self, staged: Staged, run_id: str, *, file_number: int, page_number: int, size: str, actor: Actor
    ) -> Path:
        """Return a page's picture as it will be signed, drawn when it is asked for the first time.

        Args:
            file_number: from 1, in the package's order.
            size: a key of PICTURE_SIDES_PX.

        Raises:
            NotFound: there is no such run, file, page or size.
            InputRefused: the page cannot be drawn, or not in time.
        """
        check_may(actor, Permission.CHECK_BIDS)
        folder, document = _read_run(staged, run_id)
        path = document["shown"].get(str(file_number))
        side_px = PICTURE_SIDES_PX.get(size)
        pages = document["found"]["summary"]["files"][file_number - 1]["pages"] if path else 0
        if path is None or side_px is None or not 1 <= page_number <= pages:
            raise NotFound("the dry run has no such page", zh="预演中没有这一页")
        picture: Path = folder / "pictures" / f"{file_number}-{page_number}-{size}.png"
        if not picture.is_file():
            picture.parent.mkdir(exist_ok=True, mode=0o700)
            self._pictures.draw(PictureWish(Path(path), page_number - 1, side_px, picture))
        return picture

    def submit(self, staged: Staged, run_id: str, *, actor: Actor, key_uri: str) -> PackageRecord:
        """Have a package signed by the very plan that was shown.

        Raises:
            NotFound: the dry run is gone.
            as `Bids.submit`.
        """
        run = self.run(staged, run_id, actor=actor)
        return self._bids.submit(staged.held, run.plan, actor=actor, key_uri=key_uri, choices=staged.choices)


def oldest_first(folders: Iterable[Path]) -> list[Path]:
    """Return folders by when something last happened in them; one that is gone meanwhile is left out."""
    aged = []
    for folder in folders:
        with suppress(FileNotFoundError):
            aged.append((folder.stat().st_mtime_ns, folder))
    return [folder for _, folder in sorted(aged)]


def _read_run(staged: Staged, run_id: str) -> tuple[Path, dict[str, Any]]:
    folder = staged.folder / "runs" / run_id
    if not _RUN_ID.fullmatch(run_id) or not (folder / "run.json").is_file():
        raise NotFound(
            "there is no such dry run, or a newer one took its place; make the dry run again",
            zh="没有这次预演，或已被新的预演取代，请重新预演",
        )
    document: dict[str, Any] = json.loads((folder / "run.json").read_text("utf-8"))
    return folder, document
