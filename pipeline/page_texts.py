"""Looks for keywords in processes of their own, and keeps what OCR has read of a page for the next time."""

import gzip
import hashlib
import logging
import os
import secrets
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pikepdf

from pipeline.errors import UsageRefused
from pipeline.folders import make_folder
from pipeline.page_child import NEAR, PAGE, SEARCH
from pipeline.page_children import MAX_CHILDREN, PageChildren
from seal_imaging import ReaderUnavailable
from seal_imaging.printed_pages import ENGINE
from stages.errors import InputRefused
from stages.page_text import PageText
from stages.pdf.keywords import Keyword
from stages.pdf.nearest import NearText
from stages.pdf.page_digest import PageDigests
from stages.pdf.page_pictures import READING_DPI
from stages.pdf.text import TextSearch

PAGE_TIMEOUT_S = 20.0
"""The text layer of a page; the slowest real one took 1 s."""
OCR_TIMEOUT_S = 120.0
MAX_KEPT_PAGES = 50_000
"""Readings kept; at about 10 KB each half a gigabyte. The oldest tenth goes when there are more."""
PRUNED_EVERY = 1_000
"""Readings that a process keeps before it looks again how many there are."""
MAX_KEPT_BYTES = 8 << 20

log = logging.getLogger(__name__)


class KeptReadings:
    """What OCR read, one file a page in a folder, named by what decides the reading."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._put_count = 0

    def get(self, key: str) -> PageText | None:
        """Return a reading; None when there is none, or it cannot be read."""
        try:
            with gzip.open(self._path(key), "rb") as file:
                return PAGE.validate_json(file.read(MAX_KEPT_BYTES))
        except (OSError, EOFError, ValueError, zlib.error):
            return None

    def put(self, key: str, content: PageText) -> None:
        """Keep a reading; a folder that cannot be written keeps none, and that is no error."""
        path = self._path(key)
        try:
            make_folder(self._folder, mode=0o700)
            path.parent.mkdir(exist_ok=True)
            beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
            try:
                beside.write_bytes(gzip.compress(PAGE.dump_json(content), 6, mtime=0))
                os.replace(beside, path)
            finally:
                beside.unlink(missing_ok=True)
            if self._put_count % PRUNED_EVERY == 0:
                self._prune()
            self._put_count += 1
        except (OSError, UsageRefused) as error:
            log.warning("an OCR reading could not be kept: %s", error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json.gz"

    def _prune(self) -> None:
        """Drop the oldest readings when there are too many."""
        kept = sorted(self._folder.glob("*/*"), key=lambda path: path.stat().st_mtime)
        if len(kept) > MAX_KEPT_PAGES:
            for path in kept[: len(kept) - MAX_KEPT_PAGES * 9 // 10]:
                path.unlink(missing_ok=True)


class GuardedTexts:
    """Looks into files for plans (`stages.pdf.text.PageTexts`)."""

    def __init__(self, folder: Path, children: PageChildren) -> None:
        """Say where readings are kept and who looks."""
        self._kept = KeptReadings(folder)
        self._children = children

    def search(
        self, path: Path, keywords: Sequence[Keyword], page_indices: Sequence[int], *, annotations: bool
    ) -> TextSearch:
        """Return what stands in the text layer.

        Raises:
            PlanRefused, InputRefused, PlacementRefused: see `search_text`; InputRefused also when a page
                takes longer than PAGE_TIMEOUT_S.
        """
        request = {
            "act": "search",
            "path": str(path),
            "keywords": [(keyword.text, keyword.simplified) for keyword in keywords],
            "pages": list(page_indices),
            "annotations": annotations,
        }
        return SEARCH.validate_python(self._children.ask(request, timeout_s=PAGE_TIMEOUT_S))

    def read(self, path: Path, page_indices: Sequence[int]) -> Mapping[int, PageText]:
        """Return what OCR reads, from what is kept where the page was read before.

        Raises:
            InputRefused: a page cannot be drawn, or takes longer than OCR_TIMEOUT_S.
        """
        keys = _keys(path, page_indices)
        found = {page: kept for page, key in keys.items() if (kept := self._kept.get(key)) is not None}
        missing = [page for page in page_indices if page not in found]
        if not missing:
            return found
        log.info("reading %d pages by OCR", len(missing))
        try:
            with ThreadPoolExecutor(MAX_CHILDREN) as pool:
                for page, content in zip(
                    missing, pool.map(lambda page: self._read(path, page), missing), strict=True
                ):
                    found[page] = content
                    self._kept.put(keys[page], content)
        except ReaderUnavailable as error:
            log.warning("pages are not read by OCR: %s", error)
        return found

    def _read(self, path: Path, page_index: int) -> PageText:
        request = {"act": "read", "path": str(path), "page": page_index}
        return PAGE.validate_python(self._children.ask(request, timeout_s=OCR_TIMEOUT_S))

    def nearest(self, path: Path, keyword: str, page_indices: Sequence[int]) -> tuple[NearText, ...]:
        """Return what is most like a keyword; nothing when that takes too long."""
        request = {"act": "nearest", "path": str(path), "keyword": keyword, "pages": list(page_indices)}
        try:
            return NEAR.validate_python(self._children.ask(request, timeout_s=3 * PAGE_TIMEOUT_S))
        except InputRefused:
            return ()


def _keys(path: Path, page_indices: Sequence[int]) -> dict[int, str]:
    """Return for each page what its reading is kept under: its digest, the engine and the resolution."""
    try:
        with pikepdf.open(path, suppress_warnings=True, inherit_page_attributes=False) as pdf:
            digests = PageDigests(pdf)
            return {
                page: hashlib.sha256(f"{digests.digest(page)} {ENGINE} {READING_DPI}".encode()).hexdigest()
                for page in page_indices
            }
    except (pikepdf.PdfError, RuntimeError) as error:
        raise InputRefused(
            "its pages cannot be read; export the PDF again", zh="无法读取页面，请重新导出"
        ) from error
