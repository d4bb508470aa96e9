"""Seal imaging against its bars and a naive HSV peer, on freshly drawn pages.

    .venv/bin/python benchmarks/imaging/run.py [--seed 71101] [--pages 1] [--only NAME]… [--out DIR]

Every stratum is drawn from the seed; no test uses the default. Prints a table with the bar beside each
figure and writes figures.json and sheet.png (for each seal the impression read worst) to DIR.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pymupdf

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.imaging.figures import Example, Tally, measure
from benchmarks.imaging.reading import reading_figures
from benchmarks.imaging.real import show_real
from benchmarks.imaging.registration import FALSE_LOCK_MM
from benchmarks.imaging.sheet import save_sheet
from benchmarks.imaging.strata import STRATA, draw
from pipeline.tryout.artwork import draw_oval_seal, draw_round_seal, draw_square_seal
from pipeline.tryout.specimens import draw_filled_form
from seal_imaging import read_impressions

DEFAULT_SEED = 71101
DICE_BARS = {
    "clean": 0.97,
    "printed over": 0.95,
    "faint": 0.82,
    "blue, purple": 0.92,
    "photo": 0.92,
    "enhanced": 0.86,
}
UPWARDS = {
    "residual_black": False,
    "under_text": True,
    "size_median_mm": False,
    "size_worst_mm": False,
    "precision": True,
    "recall": True,
    "best_of_three": True,
    "fusion_gain": True,
    "fusion_worst": True,
    "arc_name_cer": False,
    "arc_name_cer_printed_over": False,
    "arc_name_cer_weak_fused": False,
    "seal_read_worst_s": False,
    "registration_mm": False,
    "false_locks": False,
    "false_alarms": False,
    "crop_ms": False,
    "form_300_s": False,
    "form_600_s": False,
}
BARS = {
    "residual_black": 0.01,
    "under_text": 0.85,
    "size_median_mm": 0.1,
    "size_worst_mm": 0.25,
    "precision": 0.95,
    "recall": 0.95,
    "best_of_three": 0.95,
    "fusion_gain": 0.08,
    "fusion_worst": 0.0,
    "arc_name_cer": 0.05,
    "arc_name_cer_printed_over": 0.05,
    "seal_read_worst_s": 1.0,
    "registration_mm": 0.03,
    "false_locks": 0.0,
    "crop_ms": 100.0,
    "form_300_s": 2.0,
    "form_600_s": 6.0,
}
SPOILT_ROWS = (
    "recall",
    "reasons_hit",
    "size_worst_spread_mm",
    "angle_worst_deg",
    "best_of_three",
    "fusion_worst",
)


def _summary(tallies: list[Tally], weak: Tally) -> dict[str, float]:
    def every(name: str) -> list[float]:
        return [value for tally in tallies for value in getattr(tally, name)]

    def of(name: str, function: Any) -> float:
        values = every(name)  # what was not measured keeps no bar
        return float(function(values)) if values else float("nan")

    drawn, seen, found = (
        sum(getattr(tally, name) for tally in tallies) for name in ("drawn", "seen", "found")
    )
    return {
        "residual_black": of("residual_black", np.mean),
        "under_text": of("under_text", np.mean),
        "size_median_mm": of("size_mm", np.median),
        "size_worst_mm": of("size_mm", np.max),
        "size_worst_spread_mm": of("spread_size_mm", np.max),
        "angle_median_deg": of("angle_deg", np.median),
        "angle_worst_deg": of("angle_deg", np.max),
        "right_shape": of("right_shape", np.mean),
        "precision": seen / max(1, found),
        "recall": seen / max(1, drawn),
        "best_of_three": of("best_of_three", np.mean),
        "best_by_score": of("best_by_score", np.mean),
        "registration_mm": of("registration_mm", np.median),
        "false_locks": of("registration_mm", lambda values: sum(value > FALSE_LOCK_MM for value in values)),
        "reasons_hit": of("reasons_hit", np.mean),
        "false_alarms": of("false_alarms", np.mean),
        "grouped": of("grouped", np.mean),
        "grouped_weak": float(np.mean(weak.grouped)) if weak.grouped else float("nan"),
        "fusion_gain": float(np.mean(weak.fusion_gain)) if weak.fusion_gain else float("nan"),
        "fusion_worst": of("fusion_gain", min),
        "fused_dice_weak": float(np.mean(weak.fused_dice)) if weak.fused_dice else float("nan"),
    }


def time_it(seed: int, font: bytes) -> dict[str, float]:
    """Return the processor times of a 70 mm crop and of whole forms of nine impressions, in one thread."""
    rng = np.random.default_rng(seed)
    seals = [
        draw_round_seal("云岭东湖建设工程有限公司", font),
        draw_square_seal("王平之印", font),
        draw_oval_seal("注册监理工程师", font, lines=("王平",)),
    ]
    form = draw_filled_form("BENCH", seals, rng, font)
    x, y, w, h = form.truths[0].box_px
    side = round(70 * form.px_per_mm)
    left, top = max(0, x + w // 2 - side // 2), max(0, y + h // 2 - side // 2)
    crop = np.ascontiguousarray(form.page[top : top + side, left : left + side])
    large = cv2.resize(form.page, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    cv2.setNumThreads(1)
    times = {}
    for name, page, scale, runs in (
        ("crop_ms", crop, form.px_per_mm, 5),
        ("form_300_s", form.page, None, 2),
        ("form_600_s", large, None, 1),
    ):
        taken = []
        for _ in range(runs):
            start = time.process_time()
            read_impressions(page, scale)
            taken.append(time.process_time() - start)
        times[name] = min(taken) * (1000 if name.endswith("_ms") else 1)
    cv2.setNumThreads(-1)
    return times


def _verdict(value: float, bar: float | None, *, is_upwards: bool) -> str:
    if bar is None or np.isnan(value):
        return ""
    return "ok" if (value >= bar if is_upwards else value <= bar) else "MISSED"


def _line(name: str, naive: float | None, ours: float, bar: float | None, *, is_upwards: bool) -> str:
    shown = "-" if naive is None or np.isnan(naive) else f"{naive:.3f}"
    limit = "-" if bar is None else f"{'>=' if is_upwards else '<='} {bar:g}"
    return f"{name:24} {shown:>9} {ours:9.3f}  {limit:>9}  {_verdict(ours, bar, is_upwards=is_upwards)}"


def _print_reasons(names: Iterable[str], ours: Mapping[str, Tally]) -> None:
    """Print how often the right reason is said of an impression, and how often a wrong one."""
    print(f"{'reasons said':24} {'right':>9} {'wrong':>9}")
    for name in names:
        tally = ours[name]
        right = f"{np.mean(tally.reasons_hit):9.3f}" if tally.reasons_hit else f"{'-':>9}"
        wrong = float(np.mean(tally.false_alarms)) if tally.false_alarms else 0.0
        print(f"{name:24} {right} {wrong:9.3f}  {dict(tally.alarms) or ''}")


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--pages", type=int, default=1, help="pages of nine impressions a stratum")
    parser.add_argument("--only", action="append", help="this stratum; may be given again")
    parser.add_argument("--out", type=Path, default=Path("demo-out/bench-imaging"))
    parser.add_argument("--real", type=Path, help="read every picture of this folder instead")
    options = parser.parse_args()
    if options.real:
        show_real(options.real, options.out)
        return
    font = bytes(pymupdf.Font("cjk").buffer)
    ours, naive = ({stratum.name: Tally() for stratum in STRATA} for _ in range(2))
    examples: dict[str, list[Example]] = {}
    for stratum in STRATA:
        if options.only and stratum.name not in options.only:
            continue
        for drawn in draw(stratum, seed=options.seed, pages=options.pages, font=font):
            seen = measure(drawn, ours[stratum.name], naive[stratum.name])
            examples.setdefault(stratum.name, seen)
    print(f"seed {options.seed}, {options.pages} page(s) of nine impressions a stratum")
    print(f"{'':24} {'naive':>9} {'ours':>9}  {'bar':>9}")
    figures: dict[str, Any] = {"seed": options.seed, "pages": options.pages, "strata": {}}
    for name in examples:
        theirs_here, ours_here = (float(np.mean(side[name].dice)) for side in (naive, ours))
        print(_line(f"Dice {name}", theirs_here, ours_here, DICE_BARS.get(name), is_upwards=True))
        figures["strata"][name] = {
            side: _summary([tally], tally) | {"dice": float(np.mean(tally.dice))}
            for side, tally in (("ours", ours[name]), ("naive", naive[name]))
        }
    _print_reasons(examples, ours)
    spoilt = {stratum.name for stratum in STRATA if stratum.is_spoilt}
    mine = _summary([tally for name, tally in ours.items() if name not in spoilt], ours["weak"])
    theirs = _summary([tally for name, tally in naive.items() if name not in spoilt], naive["weak"])
    if not options.only:
        mine |= time_it(options.seed, font)
        mine |= reading_figures(options.seed, font)
    for key, value in mine.items():
        print(_line(key, theirs.get(key), value, BARS.get(key), is_upwards=UPWARDS.get(key, True)))
    refused = _summary([ours[name] for name in spoilt], Tally())
    print("impressions no seal is made of: over-inked, dragged, struck twice")
    for key in SPOILT_ROWS:
        print(_line(key, None, refused[key], None, is_upwards=True))
    figures |= {"ours": mine, "naive": theirs, "spoilt": refused}
    figures["max_rss_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(f"peak memory {figures['max_rss_mb']} MB")
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    (options.out / "figures.json").write_text(text + "\n", encoding="utf-8")
    save_sheet(examples, options.out / "sheet.png")
    print(f"figures.json and sheet.png are in {options.out}")


if __name__ == "__main__":
    main()
