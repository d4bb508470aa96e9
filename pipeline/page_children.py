"""Keeps the processes that look into pages: started when needed, kept, killed when too slow."""

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.page_child import REFUSALS
from seal_imaging import ReaderUnavailable
from stages.errors import InputRefused

MAX_CHILDREN = 2
START_TIMEOUT_S = 60.0
"""Added to the first answer: a process loads its libraries first."""
MAX_LINE_BYTES = 64 << 20
_ROOT = Path(__file__).resolve().parents[1]


class _Child:
    """One process, asked one thing at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.page_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
        )
        self._rest = b""
        self._is_new = True
        self.has_answered = True

    def ask(self, request: Mapping[str, Any], *, timeout_s: float) -> Any:
        """Return the answer.

        Args:
            timeout_s: from one sign of life to the next.
        """
        self.has_answered = False
        if self._process.stdin is None:
            raise _lost(request, None)
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise _lost(request, None) from error
        page_index: int | None = None
        while True:
            line = self._line(timeout_s + (START_TIMEOUT_S if self._is_new else 0.0))
            self._is_new = False
            if line is None:
                raise _lost(request, page_index)
            said = json.loads(line)
            if "page" in said:
                page_index = said["page"]
                continue
            self.has_answered = True
            if "refused" in said:
                raise REFUSALS[said["refused"]](said["message"], zh=said["zh"])
            if "unavailable" in said:
                raise ReaderUnavailable(said["unavailable"], zh="文字识别不可用")
            return said["answer"]

    def _line(self, timeout_s: float) -> bytes | None:
        """Return the next line; None when none came in time, or the process ended."""
        if self._process.stdout is None:
            return None
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
            chunk = os.read(self._process.stdout.fileno(), 1 << 20) if ready else b""
            self._rest += chunk
            if not chunk or len(self._rest) > MAX_LINE_BYTES:
                return None
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def kill(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _lost(request: Mapping[str, Any], page_index: int | None) -> InputRefused:
    """Return the error for a process that did not answer: which page it was at."""
    pages = request.get("pages", [request.get("page", 0)])
    at = pages.index(page_index) + 1 if page_index in pages else 0
    number = pages[min(at, len(pages) - 1)] + 1 if pages else 1
    return InputRefused(
        f"page {number} takes too long or too much memory to be read; export the PDF again, "
        "or leave the page out by `pages`",
        zh=f"读取第 {number} 页耗时过长或占用内存过多，请重新导出 PDF，或用 pages 排除该页",
    )


class PageChildren:
    """Up to MAX_CHILDREN processes; threads share them."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MAX_CHILDREN)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def ask(self, request: Mapping[str, Any], *, timeout_s: float) -> Any:
        """Return what a process answers.

        Args:
            timeout_s: from one page to the next; then the process is killed.

        Raises:
            InputRefused: no answer in time, or the process died.
            PlanRefused, PlacementRefused, ReaderUnavailable: as the process says.
        """
        with self._places:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            child = child or _Child()
            try:
                return child.ask(request, timeout_s=timeout_s)
            finally:
                if child.has_answered:
                    with self._lock:
                        self._idle.append(child)
                else:
                    child.kill()


@cache
def page_children() -> PageChildren:
    """Return this process's own ones; they end with it, when their stdin does."""
    return PageChildren()
