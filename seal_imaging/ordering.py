"""Puts the impressions of a page into reading order, each once."""

from seal_imaging.impression import Impression


def without_doubles(found: list[Impression]) -> list[Impression]:
    """Drop what lies inside a better impression: an inner ring, a part taken for a whole."""
    kept: list[Impression] = []
    for impression in sorted(found, key=lambda one: -one.size_px[0] * one.size_px[1]):
        x, y, w, h = impression.box_px
        for other in kept:
            ox, oy, ow, oh = other.box_px
            over = max(0, min(x + w, ox + ow) - max(x, ox)) * max(0, min(y + h, oy + oh) - max(y, oy))
            if over > 0.6 * w * h:
                break
        else:
            kept.append(impression)
    return kept


def in_reading_order(found: list[Impression]) -> list[Impression]:
    """Sort into rows, top to bottom, and each row left to right."""
    rows: list[list[Impression]] = []
    for impression in sorted(found, key=lambda one: one.box_px[1] + one.box_px[3] / 2):
        middle = impression.box_px[1] + impression.box_px[3] / 2
        for row in rows:
            first = row[0]
            if abs(middle - first.box_px[1] - first.box_px[3] / 2) < 0.4 * min(
                first.box_px[3], impression.box_px[3]
            ):
                row.append(impression)
                break
        else:
            rows.append([impression])
    return [one for row in rows for one in sorted(row, key=lambda one: one.box_px[0])]
