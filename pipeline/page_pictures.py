"""Pages as pictures, drawn by processes that are killed when a page takes too long."""

import json
import os
import select
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, LifoQueue

from pipeline.errors import Unavailable
from stages.errors import InputRefused

RENDER_TIMEOUT_S = 20.0
"""A4 takes 10 ms, an A0 drawing from CAD a second or two."""
MAX_PAINTERS = 2
MAX_ANSWER_BYTES = 64 * 1024
_ROOT = str(Path(__file__).resolve().parents[1])


@dataclass(frozen=True)
class PictureWish:
    """A page that is to be drawn, and where its picture goes."""

    path: Path
    page_index: int
    max_side_px: int
    out: Path


class _Painter:
    """One process that renders."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((_ROOT, os.environ.get("PYTHONPATH", "")))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.page_painter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )

    def ask(self, wish: PictureWish, timeout_s: float) -> dict[str, str] | None:
        """Return what the process answered; None when it died or took too long, and is no more."""
        question = {
            "path": str(wish.path.absolute()),
            "page_index": wish.page_index,
            "max_side_px": wish.max_side_px,
            "out": str(wish.out.absolute()),
        }
        asking, answering = self._process.stdin, self._process.stdout
        if asking is None or answering is None:
            return None
        try:
            asking.write(json.dumps(question).encode() + b"\n")
            ready, _, _ = select.select([answering], [], [], timeout_s)
            line = answering.readline(MAX_ANSWER_BYTES) if ready else b""
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            self.end()
            return None
        said: dict[str, str] = json.loads(line)
        return said

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class PagePictures:
    """At most MAX_PAINTERS processes that render, started when first needed. Many threads may ask."""

    def __init__(self, *, timeout_s: float = RENDER_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._slots = threading.BoundedSemaphore(MAX_PAINTERS)
        self._idle: LifoQueue[_Painter] = LifoQueue()
        self._closed = False

    def draw(self, wish: PictureWish) -> Path:
        """Write a page's picture, whole or not at all, and return its path.

        Raises:
            InputRefused: the page cannot be drawn, or not in time.
            Unavailable: this is closing down.
        """
        fresh = wish.out.with_name(f".{uuid.uuid4().hex}.part")
        with self._slots:
            painter = self._painter()
            said = painter.ask(replace(wish, out=fresh), self._timeout_s)
            if said is not None:
                self._idle.put(painter)
                if self._closed:
                    self.close()
        try:
            if said is None:
                page = wish.page_index + 1
                raise InputRefused(
                    f"page {page} could not be drawn in {self._timeout_s:.0f} s or took too much memory; "
                    "open the file in a reader to look at it",
                    zh=f"第 {page} 页未能在 {self._timeout_s:.0f} 秒内绘制，请用阅读器打开原文件查看",
                )
            if said:
                raise InputRefused(said["message"], zh=said["zh"])
            os.replace(fresh, wish.out)
        finally:
            fresh.unlink(missing_ok=True)
        return wish.out

    def draw_all(self, wishes: Iterable[PictureWish]) -> Iterator[tuple[PictureWish, InputRefused | None]]:
        """Draw many pages, two at a time, and say of each in its order why it could not be drawn."""

        def attempt(wish: PictureWish) -> tuple[PictureWish, InputRefused | None]:
            try:
                self.draw(wish)
            except InputRefused as refused:
                return wish, refused
            return wish, None

        with ThreadPoolExecutor(MAX_PAINTERS, thread_name_prefix="pictures") as pool:
            yield from pool.map(attempt, wishes)

    def close(self) -> None:
        """End the processes; who asks afterwards is refused."""
        self._closed = True
        while True:
            try:
                self._idle.get_nowait().end()
            except Empty:
                return

    def _painter(self) -> _Painter:
        if self._closed:
            raise Unavailable("the program is closing down; ask again later", zh="程序正在退出，请稍后再试")
        try:
            return self._idle.get_nowait()
        except Empty:
            return _Painter()
