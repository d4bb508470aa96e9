"""Folders that a person names for what comes out: made when missing, refused when they cannot be."""

import os
from pathlib import Path

from pipeline.errors import UsageRefused


def make_folder(folder: Path, *, mode: int = 0o777) -> Path:
    """Make a folder and those above it where they are missing, and return it.

    Raises:
        UsageRefused: a file stands in the way, or it may not be written to.
    """
    check_can_write(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise _not_writable(folder, error.strerror or "") from error
    return folder


def check_can_write(folder: Path) -> None:
    """Check that a folder, which need not exist yet, could be written to; nothing is made.

    Raises:
        UsageRefused: a file stands in the way, or it may not be written to.
    """
    try:
        nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    except OSError as error:
        raise _not_writable(folder, error.strerror or "") from error
    if not nearest.is_dir():
        raise _not_writable(folder, f"{nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise _not_writable(folder, f"no permission to write into {nearest}")


def check_out_folder(package: Path, out: Path) -> Path:
    """Return where the results of a package go.

    Raises:
        UsageRefused: it cannot be written to; it lies inside the package, where the next run would take
            results for bid documents; or a result would replace a file of the package.
    """
    check_can_write(out)
    given, target = package.resolve(), out.resolve()
    if package.is_dir() and target.is_relative_to(given):
        raise UsageRefused(
            f"output folder {out} lies inside the package {package}; choose one outside it",
            zh=f"输出文件夹 {out} 不能放在文件包 {package} 里面",
        )
    replaces = given.is_relative_to(target) and (
        (given / given.relative_to(target)).exists() if package.is_dir() else _is_own_result(given, target)
    )
    if replaces:
        raise UsageRefused(
            f"output folder {out}: a signed file would replace the original in {package}; choose another",
            zh=f"输出文件夹 {out}：签章件会覆盖 {package} 中的原件，请换一个文件夹",
        )
    return out


def _is_own_result(package: Path, out: Path) -> bool:
    """Say whether a single PDF lies where its own signed form would go; a zip's files have other names."""
    return package.parent == out and package.suffix.lower() != ".zip"


def check_out_file(path: Path) -> Path:
    """Return a file to be written.

    Raises:
        UsageRefused: a folder has that name, or its folder cannot be written to.
    """
    if path.is_dir():
        raise UsageRefused(f"{path} is a folder; name a file", zh=f"{path} 是文件夹，请给出文件名")
    make_folder(path.parent)
    return path


def _not_writable(folder: Path, why: str) -> UsageRefused:
    return UsageRefused(
        f"{folder} cannot be written to ({why}); choose another folder",
        zh=f"无法写入文件夹 {folder}，请换一个文件夹或检查权限",
    )
