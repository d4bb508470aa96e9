"""Makes one line of several readings of the same strip set in different ways."""

from collections.abc import Sequence

import numpy as np

from seal_imaging.reader import ReadCharacter, ReadLine


def vote(lines: Sequence[ReadLine]) -> ReadLine:
    """Return the line whose characters most readings believe in; places are told apart by where they lie.

    The strips must show the same line from the same left end to the same right end.
    """
    seen = sorted((c.at, number, c) for number, line in enumerate(lines) for c in line.characters)
    if not seen:
        return ReadLine()
    count = float(np.median([len(line.characters) for line in lines if line.characters]))
    reach = 0.45 / max(1.0, count)
    places: list[list[tuple[int, ReadCharacter]]] = []
    for at, number, character in seen:
        here = places[-1] if places else []
        middle = float(np.mean([one.at for _, one in here])) if here else -1.0
        if here and at - middle <= reach and number not in {n for n, _ in here}:
            here.append((number, character))
        else:
            places.append([(number, character)])
    read = [_elected(here, len(lines)) for here in places]
    return ReadLine(tuple(character for character in read if character is not None))


def _elected(here: Sequence[tuple[int, ReadCharacter]], voters: int) -> ReadCharacter | None:
    """Return the character of one place; None when most readings see nothing there."""
    belief: dict[str, float] = {}
    for _, character in here:
        for text, confidence in ((character.text, character.confidence), *character.others):
            belief[text] = belief.get(text, 0.0) + confidence / voters
    if len(here) * 2 < voters:
        return None
    order = sorted(belief, key=lambda text: (-belief[text], text))
    others = tuple((text, belief[text]) for text in order[1:7])
    at = float(np.mean([character.at for _, character in here]))
    return ReadCharacter(order[0], min(1.0, belief[order[0]]), at, others)
