"""Taking an unsigned stamping back: the file is again what it was before, byte for byte."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stages.errors import InputRefused, PlacementRefused
from stages.pdf.own_increment import COPY_BYTES, find_own_increment
from stages.pdf.signature_fields import read_signature_fields


@dataclass(frozen=True)
class Unstamped:
    """A file without the marks it had.

    Attributes:
        sha256: of the file as it is again, lower-case hex.
        size_bytes: of the same.
    """

    path: Path
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Before:
    """What the records say a stamped file was before: SHA-256 in lower-case hex, and its size."""

    sha256: str
    size_bytes: int


def unstamp(stamped: Path, out: Path, *, before: Before | None) -> Unstamped:
    """Write to `out` what a stamped file was before its marks were drawn.

    Args:
        before: what the records say of this very file; None where they know nothing of it. Then the file
            itself must prove that its last section is a stamping of ours (`find_own_increment`).

    Raises:
        PlacementRefused: the file was signed after it was stamped.
        InputRefused: its last change is not a stamping of ours, or it was changed since; it cannot be
            read; `out` is the stamped file itself; it does not begin with what the records say it was.
    """
    name = stamped.name
    if out.exists() and out.samefile(stamped):
        raise InputRefused(
            f"{name}: give another path for the file without marks; the stamped one stays",
            zh=f"{name}：请为撤销印章后的文件另给路径，盖章件保留不动",
        )
    if before is None:
        found = find_own_increment(stamped)
        if found is None:
            raise _not_ours(stamped)
        size = found.base_size_bytes
    else:
        size = before.size_bytes
    digest = _copy(stamped, out, size)
    if before is not None and digest != before.sha256:
        out.unlink()
        raise InputRefused(
            f"{name}: it does not begin with the file it was made of; take the original where it is kept",
            zh=f"{name}：文件开头与登记的原件不符，请从保存处取原件",
        )
    return Unstamped(out, digest, size)


def _copy(source: Path, out: Path, size: int) -> str:
    running = hashlib.sha256()
    left = size
    with source.open("rb") as data, out.open("wb") as file:
        while left and (piece := data.read(min(left, COPY_BYTES))):
            running.update(piece)
            file.write(piece)
            left -= len(piece)
    return running.hexdigest()


def _not_ours(stamped: Path) -> InputRefused | PlacementRefused:
    name = stamped.name
    try:
        is_signed = bool(read_signature_fields(stamped))
    except InputRefused:
        is_signed = False
    if is_signed:
        return PlacementRefused(
            f"{name}: it is signed, and a signed mark cannot be taken out without breaking the signature; "
            "void the document instead (archive void)",
            zh=f"{name}：文件已签名，取下印章会使签名失效；请改为作废（archive void）",
        )
    return InputRefused(
        f"{name}: its last change is no stamping made here, or the file was changed since; "
        "take the original from where it is kept",
        zh=f"{name}：最后一次改动不是本系统盖章所致，或盖章后文件又被改动；请从保存处取原件",
    )
