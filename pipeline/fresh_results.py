"""Results of one run laid into a folder once all of them are there, in place of an earlier run's."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UsageRefused
from pipeline.folders import make_folder

_PREFIX = ".sealine-"


@contextmanager
def fresh_results(out: Path, *, names: re.Pattern[str], given: Path) -> Iterator[Path]:
    """Give a hidden folder to write into; at the end its files stand in `out`, and no older ones of theirs.

    A run that fails, or is killed, leaves what was in `out` as it was.

    Args:
        names: what results are called; files of `out` so called are an earlier run's, and go.
        given: the file worked on; it must not be one of those.

    Raises:
        UsageRefused: `out` cannot be written to, or the given file stands where a result would.
    """
    make_folder(out)
    if names.fullmatch(given.name) and given.resolve().parent == out.resolve():
        raise UsageRefused(
            f"{given} lies in the output folder under a result's name; choose another folder",
            zh=f"{given} 在输出文件夹中且与结果同名，请换一个输出文件夹",
        )
    folder = Path(tempfile.mkdtemp(dir=out, prefix=_PREFIX))
    try:
        yield folder
        _lay(folder, out, names)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lay(folder: Path, out: Path, names: re.Pattern[str]) -> None:
    fresh = sorted(folder.iterdir(), key=lambda path: (path.suffix != ".json", path.name))
    for old in out.iterdir():
        if names.fullmatch(old.name) and old.is_file():
            old.unlink()
    # Notes first: an image without what speaks against it might be taken for a good one.
    for path in fresh:
        os.replace(path, out / path.name)
