"""The hash tree that lets one timestamp stand for many documents (RFC 4998 §4.2)."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stages.errors import InputRefused

MAX_DOCUMENTS = 10_000
MAX_GROUP = 64
DIGEST_BYTES = 32

PartialHashtree = tuple[bytes, ...]
ReducedHashtree = tuple[PartialHashtree, ...]


@dataclass(frozen=True)
class HashTree:
    """A tree's root, and for each document what leads from its digests up to it.

    Attributes:
        reduced: one per document, in the order given; empty for the only digest of the only document.
    """

    root: bytes
    reduced: tuple[ReducedHashtree, ...] = field(repr=False)


def build_tree(groups: Sequence[Sequence[bytes]]) -> HashTree:
    """Build a binary SHA-256 tree over documents, each a group of data objects.

    Args:
        groups: for each document the SHA-256 digests of its data objects; doubles count once.

    Raises:
        InputRefused: no documents, more than MAX_DOCUMENTS, or a group that is empty or too large.

    Source: RFC 4998 §4.2.1, with two children a node and an odd last node carried up as it is.
    """
    if not 0 < len(groups) <= MAX_DOCUMENTS:
        raise InputRefused(
            f"{len(groups)} documents for one timestamp; give 1 to {MAX_DOCUMENTS}",
            zh=f"一次归档 {len(groups)} 份文件，应为 1 至 {MAX_DOCUMENTS} 份",
        )
    members = [_members(group) for group in groups]
    lists: list[list[PartialHashtree]] = [[group] if len(group) > 1 else [] for group in members]
    level = [(node_hash(group), [index]) for index, group in enumerate(members)]
    while len(level) > 1:
        above = []
        for left, right in zip(level[::2], level[1::2], strict=False):
            for (own, indices), (sibling, _) in ((left, right), (right, left)):
                for index in indices:
                    # A lone digest stands in its first list itself; later, and for a group, it is computed.
                    lists[index].append((sibling,) if lists[index] else (own, sibling))
            above.append((node_hash((left[0], right[0])), left[1] + right[1]))
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return HashTree(level[0][0], tuple(tuple(path) for path in lists))


def node_hash(hashes: Iterable[bytes]) -> bytes:
    """Return the hash of a node: of its children in ascending byte order; a lone child's is its own."""
    ordered = sorted(hashes)
    return ordered[0] if len(ordered) == 1 else hashlib.sha256(b"".join(ordered)).digest()


def root_of(reduced: ReducedHashtree, digests: Sequence[bytes]) -> bytes | None:
    """Return the root that a document's digests lead to; None when they are not those of this tree.

    The first list must be the document's digests and nothing else, but for a document of a single
    digest, which stands there among others (RFC 4998 §4.3, steps 2 and 3, and for groups the last).
    """
    own = _members(digests)
    if not reduced:
        return own[0] if len(own) == 1 else None
    first = reduced[0]
    if len(own) > 1 and sorted(first) != list(own):
        return None
    if own[0] not in first:
        return None
    root = node_hash(first)
    for hashes in reduced[1:]:
        root = node_hash((*hashes, root))
    return root


def _members(group: Sequence[bytes]) -> tuple[bytes, ...]:
    members = tuple(sorted(set(group)))
    if not 0 < len(members) <= MAX_GROUP or any(len(digest) != DIGEST_BYTES for digest in members):
        raise InputRefused(
            f"a document of {len(members)} digests; give 1 to {MAX_GROUP}, each SHA-256",
            zh=f"一份文件有 {len(members)} 个摘要，应为 1 至 {MAX_GROUP} 个 SHA-256 摘要",
        )
    return members
