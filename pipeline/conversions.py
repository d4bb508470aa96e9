"""What office files became: converted once, kept by what came in and by the converter's version."""

import hashlib
import logging
import os
import secrets
import shutil
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.errors import UsageRefused
from pipeline.folders import make_folder
from stages.derive import Choices, derive, derived_name
from stages.documents import Finding, HowDerived, Origin, SourceFile
from stages.file_kinds import OFFICE, kind_of
from stages.office.libreoffice import tool_name

FORM = 1
"""Changes with what is done to a PDF after it was converted: older ones are then made again."""
MAX_KEPT_BYTES = 4 << 30
"""PDFs kept; the oldest go when there are more."""

log = logging.getLogger(__name__)
_FINDINGS = TypeAdapter(tuple[Finding, ...])
_version = cache(tool_name)


class KeptConversions:
    """Makes PDFs as `stages.derive` does, and remembers those that took LibreOffice to make.

    Args:
        folder: may be emptied at any time; the PDFs of documents lie in it in the clear.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def derive(self, source: SourceFile, scratch: Path, choices: Choices) -> SourceFile:
        """Return the PDF to be stamped, as `stages.derive.derive` does.

        Raises:
            InputRefused, Damaged, Encrypted: as there.
        """
        if not choices.convert or source.origin is not None or kind_of(source.path).kind not in OFFICE:
            return derive(source, scratch, choices)
        key = hashlib.sha256(f"{FORM} {_version()} {source.sha256}".encode()).hexdigest()
        known = self._known(key, source, scratch / "converted.pdf")
        if known is not None:
            return known
        made = derive(source, scratch, choices)
        self._keep(key, made)
        return made

    def _known(self, key: str, source: SourceFile, out: Path) -> SourceFile | None:
        """Return what was kept, copied to `out`; None when there is nothing, or it is not what was kept."""
        try:
            digest, findings = (self._path(key) / "made").read_text("utf-8").split("\n", 1)
            found = _FINDINGS.validate_json(findings)
            shutil.copyfile(self._path(key) / "made.pdf", out)
            with out.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise ValueError("another file")
        except (OSError, ValueError):
            out.unlink(missing_ok=True)
            return None
        origin = Origin(
            source.path,
            source.name,
            source.size_bytes,
            source.sha256,
            HowDerived.CONVERTED,
            _version(),
            findings=found,
        )
        return SourceFile(out, derived_name(source.name), out.stat().st_size, digest, origin=origin)

    def _keep(self, key: str, made: SourceFile) -> None:
        """Keep a PDF; a folder that cannot be written keeps none, and that is no error."""
        if made.origin is None:
            return
        path = self._path(key)
        beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
        try:
            make_folder(self._folder, mode=0o700)
            self._make_room()
            beside.mkdir(parents=True)
            shutil.copyfile(made.path, beside / "made.pdf")
            said = _FINDINGS.dump_json(made.origin.findings).decode()
            (beside / "made").write_text(f"{made.sha256}\n{said}", encoding="utf-8")
            shutil.rmtree(path, ignore_errors=True)
            os.replace(beside, path)  # both files at once: nobody finds half of them
        except (OSError, UsageRefused) as error:
            shutil.rmtree(beside, ignore_errors=True)
            log.warning("a converted file could not be kept: %s", error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _make_room(self) -> None:
        kept = sorted(self._folder.glob("*/*/made.pdf"), key=lambda path: path.stat().st_mtime)
        size_bytes = sum(path.stat().st_size for path in kept)
        for path in kept:
            if size_bytes <= MAX_KEPT_BYTES:
                return
            size_bytes -= path.stat().st_size
            shutil.rmtree(path.parent, ignore_errors=True)
