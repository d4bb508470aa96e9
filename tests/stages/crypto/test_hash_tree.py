"""The hash tree: every document reaches the root, and nothing else does."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.crypto.hash_tree import MAX_DOCUMENTS, build_tree, node_hash, root_of
from stages.errors import InputRefused

DIGESTS = st.binary(min_size=32, max_size=32)
GROUPS = st.lists(st.lists(DIGESTS, min_size=1, max_size=5), min_size=1, max_size=40)


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_the_example_of_rfc_4998() -> None:
    """§4.2: documents 1 and 3, and the group 2 of three; the groups' and nodes' hashes as written there."""
    h1, h3 = sha(b"one"), sha(b"three")
    group = [sha(b"2a"), sha(b"2b"), sha(b"2c")]
    tree = build_tree([[h1], group, [h3]])
    h2 = sha(*sorted(group))
    h12 = sha(*sorted([h1, h2]))
    assert tree.root == sha(*sorted([h12, h3]))
    assert tree.reduced[0] == ((h1, h2), (h3,))
    assert tree.reduced[1] == (tuple(sorted(group)), (h1,), (h3,))
    assert tree.reduced[2] == ((h3, h12),)


def test_one_digest_is_its_own_root() -> None:
    digest = sha(b"x")
    tree = build_tree([[digest]])
    assert (tree.root, tree.reduced) == (digest, ((),))
    assert root_of((), [digest]) == digest


@settings(max_examples=60, deadline=None)
@given(GROUPS)
def test_every_document_reaches_the_root(groups: list[list[bytes]]) -> None:
    tree = build_tree(groups)
    assert all(
        root_of(reduced, group) == tree.root for reduced, group in zip(tree.reduced, groups, strict=True)
    )


@settings(max_examples=60, deadline=None)
@given(GROUPS, st.data())
def test_a_changed_digest_reaches_it_no_more(groups: list[list[bytes]], data: st.DataObject) -> None:
    tree = build_tree(groups)
    index = data.draw(st.integers(0, len(groups) - 1))
    place = data.draw(st.integers(0, len(groups[index]) - 1))
    bit = data.draw(st.integers(0, 255))
    changed = list(groups[index])
    number = int.from_bytes(changed[place]) ^ (1 << bit)
    changed[place] = number.to_bytes(32)
    if set(changed) != set(groups[index]):
        assert root_of(tree.reduced[index], changed) != tree.root


@settings(max_examples=60, deadline=None)
@given(st.lists(DIGESTS, min_size=3, max_size=6, unique=True), GROUPS)
def test_a_missing_or_added_file_reaches_it_no_more(group: list[bytes], others: list[list[bytes]]) -> None:
    tree = build_tree([group, *others])
    assert root_of(tree.reduced[0], group[1:]) is None
    assert root_of(tree.reduced[0], [*group, sha(b"another")]) is None
    assert root_of(tree.reduced[0], group[::-1]) == tree.root


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
def test_odd_and_even_numbers_of_documents_do(count: int) -> None:
    groups = [[sha(bytes([part]), number.to_bytes(4)) for part in range(4)] for number in range(count)]
    tree = build_tree(groups)
    assert {root_of(reduced, group) for reduced, group in zip(tree.reduced, groups, strict=True)} == {
        tree.root
    }


def test_a_lone_child_is_its_parent() -> None:
    assert node_hash([b"a" * 32]) == b"a" * 32


@pytest.mark.parametrize(
    "groups",
    [[], [[]], [[b"short"]], [[bytes(32)]] * (MAX_DOCUMENTS + 1), [[n.to_bytes(32) for n in range(65)]]],
)
def test_what_is_over_a_limit_is_refused(groups: list[list[bytes]]) -> None:
    with pytest.raises(InputRefused) as refused:
        build_tree(groups)
    assert refused.value.zh
