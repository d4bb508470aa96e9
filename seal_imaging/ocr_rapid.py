"""Reads strips of text with the recognition model that the rapidocr package carries.

The model is run by onnxruntime itself: the package's own calls keep only the likeliest character of
each place, log, and may reach for the network when a file is missing.
"""

import threading
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from seal_imaging.errors import ReaderUnavailable
from seal_imaging.ocr_engine import open_session
from seal_imaging.reader import ReadCharacter, ReadLine, Strip
from seal_imaging.simplified import SIMPLIFIED

MODEL_NAME = "PP-OCRv6_rec_small.onnx"
HEIGHT_PX = 48
"""The model's input height; its width is free."""
MIN_WIDTH_PX = 160
MAX_WIDTH_PX = 3200
MAX_STRIPS = 64
OTHERS = 6
MIN_OTHER = 1e-4

PUNCTUATION = "()（）·-—. "
FIRST_IDEOGRAPH, LAST_IDEOGRAPH = "\u3400", "\U0003ffff"
UNCOMMON = 0.02
"""Weight of other signs, and of a Chinese character outside GB 2312, which holds the simplified ones: seals
are cut in these (国发〔1999〕25号), and what looks like a traditional one is mostly a worn simplified one."""
FOLDED = 0.02
"""How much of the belief in a traditional character its simplified form gets."""

Odds = NDArray[np.float32]
"""(steps, characters), the model's probability of each character at each step; the first is "none"."""


class RapidReader:
    """A reader whose model is loaded when it first reads; threads may share it."""

    def __init__(self, *, threads: int = 1, model_path: str | None = None, printed: bool = False) -> None:
        """Say how to read.

        Args:
            printed: the strips are print, not seals: every character counts as the model sees it.
            threads: how many the engine may use.
            model_path: another recognition model in ONNX form; None for the package's own.
        """
        self._threads = threads
        self._model_path = model_path
        self._printed = printed
        self._lock = threading.Lock()
        self._session: Any = None
        self._characters: list[str] = []
        self._uncommon: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._folds: NDArray[np.intp] = np.zeros((0, 2), np.intp)

    def read(self, strips: Sequence[Strip], *, alphabet: str = "") -> list[ReadLine]:
        """Return one line for each strip.

        Raises:
            ReaderUnavailable: the engine or its model is missing, or the model is not one that reads lines.
        """
        self._load()
        allowed = self._allowed(alphabet)
        lines: list[ReadLine] = []
        for strip in strips[:MAX_STRIPS]:
            odds, used = self._odds(strip)
            if allowed is not None:
                odds = _only(odds, allowed)
            elif not self._printed:
                odds = self._simplified(odds)
            lines.append(_decoded(odds, used, self._characters))
        lines += [ReadLine()] * (len(strips) - len(lines))
        return lines

    def _load(self) -> None:
        with self._lock:
            if self._session is not None:
                return
            session = open_session(MODEL_NAME, threads=self._threads, model_path=self._model_path)
            try:
                listed = session.get_modelmeta().custom_metadata_map["character"]
            except KeyError as error:
                raise ReaderUnavailable(
                    f"the text model {MODEL_NAME} names no characters ({error}); install rapidocr again",
                    zh="文字识别模型无法加载，请重新安装rapidocr",
                ) from error
            # Index 0 is the model's "no character here", the last one a space.
            self._characters = ["", *listed.splitlines(), " "]
            self._uncommon = np.array([_is_uncommon(character) for character in self._characters])
            place = {character: k for k, character in enumerate(self._characters)}
            pairs = [(place[a], place[b]) for a, b in SIMPLIFIED.items() if a in place and b in place]
            self._folds = np.array(pairs, np.intp).reshape(-1, 2)
            self._session = session

    def _odds(self, strip: Strip) -> tuple[Odds, float]:
        """Return the odds along a strip and which share of the steps the strip itself takes."""
        width = int(np.clip(round(strip.shape[1] * HEIGHT_PX / max(1, strip.shape[0])), 8, MAX_WIDTH_PX))
        way = cv2.INTER_AREA if strip.shape[0] > HEIGHT_PX else cv2.INTER_CUBIC
        fitted = cv2.resize(strip, (width, HEIGHT_PX), interpolation=way).astype(np.float32) / 127.5 - 1
        padded = np.ones((1, 3, HEIGHT_PX, max(MIN_WIDTH_PX, width)), np.float32)
        padded[0, :, :, :width] = fitted
        name = self._session.get_inputs()[0].name
        odds = np.asarray(self._session.run(None, {name: padded})[0][0], np.float32)
        return odds, width / padded.shape[3]

    def _simplified(self, odds: Odds) -> Odds:
        """Return the odds with those of traditional characters given to the simplified ones.

        That no character is there stays as likely as it was.
        """
        kept = odds.copy()
        kept[:, self._folds[:, 1]] += np.float32(FOLDED) * odds[:, self._folds[:, 0]]
        kept[:, self._folds[:, 0]] = 0
        kept[:, self._uncommon] *= np.float32(UNCOMMON)
        kept[:, 0] = 0
        kept *= (1 - odds[:, :1]) / np.maximum(kept.sum(1, keepdims=True), 1e-12)
        kept[:, 0] = odds[:, 0]
        return kept

    def _allowed(self, alphabet: str) -> NDArray[np.bool_] | None:
        if not alphabet:
            return None
        wanted = set(alphabet)
        allowed = np.array([character in wanted for character in self._characters])
        allowed[0] = True
        return allowed


def _is_uncommon(character: str) -> bool:
    """Tell whether seals hardly ever bear a character."""
    if (character.isascii() and character.isalnum()) or character in PUNCTUATION:
        return False
    if not FIRST_IDEOGRAPH <= character <= LAST_IDEOGRAPH:
        return True
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return True
    return False


def _only(odds: Odds, allowed: NDArray[np.bool_]) -> Odds:
    """Return the odds as if nothing but the allowed characters existed."""
    kept = np.where(allowed, odds, np.float32(0))
    return np.asarray(kept / np.maximum(kept.sum(1, keepdims=True), 1e-12), np.float32)


def _decoded(odds: Odds, used: float, characters: list[str]) -> ReadLine:
    """Return the likeliest line: repeats of a step are one character, "none" parts characters.

    Source: Graves et al., "Connectionist temporal classification", 2006, best path decoding.
    """
    best = odds.argmax(1)
    starts = np.flatnonzero(np.diff(best, prepend=-1))
    ends = np.append(starts[1:], len(best))
    read = []
    for start, end in zip(starts, ends, strict=True):
        if best[start] == 0:
            continue
        peak = int(start + odds[start:end, best[start]].argmax())
        # What else it may be is seen just as well beside the peak.
        near = odds[max(0, start - 1) : end + 1].max(0)
        order = np.argsort(near)[::-1][: OTHERS + 2]
        others = tuple(
            (characters[k], float(near[k]))
            for k in order
            if k not in (0, best[start]) and near[k] > MIN_OTHER
        )
        read.append(
            ReadCharacter(
                characters[best[start]],
                float(odds[peak, best[start]]),
                min(1.0, (peak + 0.5) / len(best) / used),
                others[:OTHERS],
            )
        )
    return ReadLine(tuple(read))
