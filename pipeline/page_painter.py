"""The process that renders pages for others: one line of JSON asks, one line answers.

It is a process of its own because the pages come from outside: one that hangs is killed, and one that
eats memory takes nobody else down. Run as `python -m pipeline.page_painter`.
"""

import json
import resource
import signal
import sys
from pathlib import Path
from typing import IO, Any

from stages.errors import StagesError
from stages.pdf.render import open_for_view, render_page

MEMORY_BYTES = 2 * 1024**3
MAX_PAGE_S = 60
"""A page that still draws then, its asker long gone, ends the process (SIGALRM's default)."""


class Painter:
    """Renders pages, keeping the last file open: the next page is mostly of the same one."""

    def __init__(self) -> None:
        self._opened: tuple[tuple[str, int], Any] | None = None

    def paint(self, path: Path, page_index: int, max_side_px: int, out: Path) -> None:
        """Write a page as PNG.

        Raises:
            InputRefused: it cannot be drawn.
        """
        out.write_bytes(render_page(self._document(path), page_index, max_side_px=max_side_px))

    def _document(self, path: Path) -> Any:
        key = (str(path), path.stat().st_mtime_ns)
        if self._opened is None or self._opened[0] != key:
            if self._opened is not None:
                self._opened[1].close()
                self._opened = None
            self._opened = (key, open_for_view(path))
        return self._opened[1]


def answer(painter: Painter, line: bytes) -> dict[str, str]:
    """Do what one line asks, and return what to answer: nothing, or why not."""
    wish = json.loads(line)
    try:
        painter.paint(Path(wish["path"]), wish["page_index"], wish["max_side_px"], Path(wish["out"]))
    except StagesError as error:
        return {"message": str(error), "zh": error.zh}
    except OSError as error:
        return {"message": f"it cannot be read or written ({error.strerror})", "zh": "文件无法读写"}
    return {}


def serve(asking: IO[bytes], answering: IO[bytes]) -> None:
    """Answer until nobody asks any more."""
    painter = Painter()
    while line := asking.readline():
        signal.alarm(MAX_PAGE_S)
        said = answer(painter, line)
        signal.alarm(0)
        answering.write(json.dumps(said).encode() + b"\n")
        answering.flush()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    serve(sys.stdin.buffer, sys.stdout.buffer)
