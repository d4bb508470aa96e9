"""A contact sheet: for each stratum source, naive, ours and fused, side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.imaging.figures import Example

TILE_PX = 300
_GREEN = (20, 120, 60)


def save_sheet(examples: Mapping[str, Sequence[Example]], path: Path) -> None:
    """Write one row of tiles a stratum; each seal takes four."""
    rows = []
    for name, seals in examples.items():
        tiles = [tile for one in seals for tile in _tiles(one)]
        row = np.concatenate(tiles, axis=1)
        label = np.full((26, row.shape[1], 3), 255, np.uint8)
        text = f"{name}: source, naive, ours, fused"
        cv2.putText(label, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        rows += [label, row]
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    cv2.imwrite(str(path), np.concatenate(padded)[..., ::-1])


def _tiles(example: Example) -> list[NDArray[np.uint8]]:
    pictures = [example.source, _inked(example.naive), _inked(example.ours)]
    if example.fused is None:
        pictures.append(np.full((8, 8, 3), 200, np.uint8))
    else:
        alpha = example.fused[..., 3:].astype(np.float32) / 255
        shown = (255 * (1 - alpha) + example.fused[..., :3] * alpha).astype(np.uint8)
        x, y, w, h = cv2.boundingRect((alpha[..., 0] > 0.3).astype(np.uint8))
        pictures.append(shown[y : y + h, x : x + w] if w else shown)
    return [_tile(picture) for picture in pictures]


def _inked(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(mask[..., None], np.array((190, 30, 40)), 255).astype(np.uint8)


def _tile(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = (TILE_PX - 8) / max(picture.shape[:2])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    tile = np.full((TILE_PX, TILE_PX, 3), 255, np.uint8)
    top, left = (TILE_PX - size[1]) // 2, (TILE_PX - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = small
    tile[0, :] = tile[:, 0] = _GREEN
    return tile
