"""How surely the micro-pattern is found in a print-and-scan, and how seldom where it is not."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pymupdf
from numpy.typing import NDArray

from pipeline.tryout.artwork import (
    Artwork,
    draw_oval_seal,
    draw_rectangle_seal,
    draw_round_seal,
    draw_square_seal,
)
from seal_imaging import read_impressions
from seal_imaging.impression import RgbaImage
from seal_imaging.micropattern import PROOF_SCORE, PatternScore, find_pattern, put_pattern
from tests.simulators.print_and_scan import Machines, print_and_scan

WRONG_KEYS = 20
"""Keys tried on each scan that have nothing to do with it."""


@dataclass(frozen=True)
class Case:
    """One seal printed and scanned twice: with its pattern, and without.

    Attributes:
        scores: with the pattern, one for each impression found (one is right).
        bare: without it.
        wrong: of keys of other seals, on the scan with the pattern.
    """

    seal: str
    scores: tuple[PatternScore, ...]
    bare: tuple[PatternScore, ...]
    wrong: tuple[float, ...]


def image_of(artwork: Artwork) -> RgbaImage:
    """Return a seal image of the seal as its maker cut it."""
    w, h = (round(side * 20) for side in artwork.size_mm)
    image = np.zeros((1400, 1400, 4), np.uint8)
    image[..., :3] = artwork.ink_rgb
    top, left = (1400 - h) // 2, (1400 - w) // 2
    ink = cv2.resize(artwork.ink, (w, h), interpolation=cv2.INTER_AREA)
    image[top : top + h, left : left + w, 3] = np.round(255 * ink)
    return image


def draw_seals(font: bytes) -> list[Artwork]:
    """Return one seal of each shape."""
    return [
        draw_round_seal("江南示例建设工程有限公司", font, code="3201040012345"),
        draw_oval_seal("中华人民共和国注册建造师", font, lines=("张三示例", "苏132000000001")),
        draw_square_seal("张三之印", font),
        draw_rectangle_seal(("一级注册结构工程师", "姓名 李四", "编号 3200001-S001"), font),
    ]


def any_machines(rng: np.random.Generator) -> Machines:
    """Return an office printer and scanner within the promised range."""
    return Machines(
        screen="laser" if rng.random() < 0.5 else "inkjet",
        gain_px=float(rng.uniform(0.5, 1.0)),
        turn_deg=float(rng.uniform(-2, 2)),
        stretch=float(rng.uniform(0.99, 1.01)),
        blur_px=float(rng.uniform(0.4, 1.0)),
        noise=float(rng.uniform(1, 4)),
        lines_of_text=int(rng.integers(0, 5)),
    )


def cases(seed: int, count: int) -> Iterator[Case]:
    """Yield so many cases, the seals in turn."""
    font = bytes(pymupdf.Font("cjk").buffer)
    seals = draw_seals(font)
    rng = np.random.default_rng(seed)
    for number in range(count):
        artwork = seals[number % len(seals)]
        key, machines = rng.bytes(32), any_machines(rng)
        image = image_of(artwork)
        marked = put_pattern(image, key)
        with_it = print_and_scan(marked, machines, font=font, rng=rng)
        without = print_and_scan(image, machines, font=font, rng=rng)
        wrong = [rng.bytes(32) for _ in range(WRONG_KEYS)]
        yield Case(
            artwork.name,
            _scores(with_it, marked, key, machines),
            _scores(without, marked, key, machines),
            tuple(
                score.score
                for other in wrong[: WRONG_KEYS if number < 8 else 1]
                for score in _scores(with_it, put_pattern(image, other), other, machines)
            ),
        )


def _scores(
    scan: NDArray[np.uint8], image: RgbaImage, key: bytes, machines: Machines
) -> tuple[PatternScore, ...]:
    return tuple(find_pattern(one, image, key) for one in read_impressions(scan, machines.dpi / 25.4))


def main() -> None:
    """Print the rates, and the scores they come from."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=40)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    drawn = list(cases(arguments.seed, arguments.cases))
    best = [max((score.score for score in case.scores), default=0.0) for case in drawn]
    bare = [score for case in drawn for score in case.bare]
    chance = [score.score for score in bare] + [score for case in drawn for score in case.wrong]
    print(f"cases {len(drawn)}, seed {arguments.seed}, proof from {PROOF_SCORE}")
    print(
        f"found            {np.mean(np.array(best) >= PROOF_SCORE):.1%}  (score: least {min(best):.1f}, "
        f"median {np.median(best):.1f})"
    )
    for name in dict.fromkeys(case.seal for case in drawn):
        own = [score for score, case in zip(best, drawn, strict=True) if case.seal == name]
        print(f"  {name}: least {min(own):.1f}, median {np.median(own):.1f}")
    print(
        f"found by mistake {np.mean(np.array(chance) >= PROOF_SCORE):.2%} of {len(chance)} "
        f"(score: mean {np.mean(chance):+.2f}, deviation {np.std(chance):.2f}, most {max(chance):.1f})"
    )
    print(f"absence proved   {np.mean([score.is_absent for score in bare]):.1%} of {len(bare)} without it")


if __name__ == "__main__":
    main()
