"""The tree: Certificate Transparency's published vectors, and a naive reading of RFC 6962."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifier import verify_evidence as ve

pytestmark = pytest.mark.unit

# The leaves, roots and proofs of Certificate Transparency's reference implementation.
LEAVES = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# (leaf, size): the proof as published, each hash beside the place that it stands for.
INCLUSION = {
    (0, 8): {
        (0, 1): "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        (1, 1): "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        (2, 1): "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    },
    (5, 8): {
        (0, 4): "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        (1, 3): "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        (2, 0): "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    },
    (2, 3): {(1, 0): "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    (1, 5): {
        (0, 0): "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        (1, 1): "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        (0, 4): "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    },
}
# (older size, size); a proof from a power of two leaves out the older root itself.
CONSISTENCY = {
    (1, 8): {
        (0, 1): "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        (1, 1): "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        (2, 1): "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    },
    (6, 8): {
        (1, 2): "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        (1, 3): "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        (2, 0): "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    },
    (2, 5): {
        (1, 1): "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        (0, 4): "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    },
}


def _bytes(proof: dict[ve.Place, str]) -> dict[ve.Place, bytes]:
    return {place: bytes.fromhex(hashed) for place, hashed in proof.items()}


def test_the_published_roots() -> None:
    leaves = [ve.leaf_hash(data) for data in LEAVES]
    assert ve.root([]).hex() == EMPTY
    assert [ve.root(leaves[: size + 1]).hex() for size in range(8)] == ROOTS


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_the_published_inclusion_proofs(index: int, size: int) -> None:
    proof = _bytes(INCLUSION[index, size])
    assert set(proof) == set(ve.proof_nodes(size, [index]))
    leaf = {index: ve.leaf_hash(LEAVES[index])}
    assert [found.hex() for found in ve.roots([size], leaf, proof)] == [ROOTS[size - 1]]
    for place in proof:
        wrong = ve.roots([size], leaf, {**proof, place: ve.EMPTY_ROOT})
        assert wrong[0].hex() != ROOTS[size - 1]


@pytest.mark.parametrize(("older", "size"), CONSISTENCY)
def test_the_published_consistency_proofs(older: int, size: int) -> None:
    proof = _bytes(CONSISTENCY[older, size])
    if older.bit_count() == 1:
        proof[older.bit_length() - 1, 0] = bytes.fromhex(ROOTS[older - 1])
    assert set(proof) == set(ve.proof_nodes(size, [], [older]))
    found = [root.hex() for root in ve.roots([size, older], {}, proof)]
    assert found == [ROOTS[size - 1], ROOTS[older - 1]]


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive(leaves[:split]) + naive(leaves[split:])).digest()


def subtree(leaves: list[bytes], place: ve.Place) -> bytes:
    level, at = place
    inside = leaves[at << level : (at + 1) << level]
    assert len(inside) == 1 << level, "a proof names complete subtrees only"
    return naive(inside)


@st.composite
def grown(draw: st.DrawFn) -> tuple[list[bytes], list[int], list[int]]:
    """A tree, some of its leaves, and some of its older sizes."""
    size = draw(st.integers(1, 70))
    indexes = draw(st.lists(st.integers(0, size - 1), max_size=6, unique=True))
    older = draw(st.lists(st.integers(0, size), max_size=3, unique=True))
    return [ve.leaf_hash(b"%d" % i) for i in range(size)], indexes, older


@settings(deadline=None)
@given(grown())
def test_roots_from_nodes_are_those_of_the_definition(
    tree: tuple[list[bytes], list[int], list[int]],
) -> None:
    leaves, indexes, older = tree
    places = ve.proof_nodes(len(leaves), indexes, older)
    assert not {(0, index) for index in indexes} & set(places)
    nodes = {place: subtree(leaves, place) for place in places}
    known = {index: leaves[index] for index in indexes}
    sizes = [len(leaves), *older]
    assert ve.roots(sizes, known, nodes) == [naive(leaves[:size]) for size in sizes]
    assert ve.root(leaves) == naive(leaves)


@settings(deadline=None)
@given(grown(), st.data())
def test_a_smaller_question_is_answered_by_the_same_nodes(
    tree: tuple[list[bytes], list[int], list[int]], data: st.DataObject
) -> None:
    leaves, indexes, older = tree
    nodes = {p: subtree(leaves, p) for p in ve.proof_nodes(len(leaves), indexes, older)}
    asked = data.draw(st.sampled_from(older)) if older else len(leaves)
    found = ve.roots([len(leaves), asked], {i: leaves[i] for i in indexes}, nodes)
    assert found == [naive(leaves), naive(leaves[:asked])]


@settings(deadline=None)
@given(grown(), st.data())
def test_one_wrong_hash_leads_to_another_root(
    tree: tuple[list[bytes], list[int], list[int]], data: st.DataObject
) -> None:
    leaves, indexes, older = tree
    nodes = {p: subtree(leaves, p) for p in ve.proof_nodes(len(leaves), indexes, older)}
    known = {index: leaves[index] for index in indexes}
    wrong = data.draw(st.sampled_from([*nodes, *((0, index) for index in known)]))
    if wrong in nodes:
        nodes[wrong] = ve.EMPTY_ROOT
    else:
        known[wrong[1]] = ve.EMPTY_ROOT
    assert ve.roots([len(leaves)], known, nodes)[0] != naive(leaves)


@settings(deadline=None)
@given(grown(), st.data())
def test_without_one_node_nothing_is_proved(
    tree: tuple[list[bytes], list[int], list[int]], data: st.DataObject
) -> None:
    leaves, indexes, older = tree
    nodes = {p: subtree(leaves, p) for p in ve.proof_nodes(len(leaves), indexes, older)}
    if nodes:
        del nodes[data.draw(st.sampled_from(sorted(nodes)))]
        known = {index: leaves[index] for index in indexes}
        with pytest.raises(ve.Forged, match="left out"):
            ve.roots([len(leaves), *older], known, nodes)


def test_a_node_above_a_leaf_does_not_stand_for_it() -> None:
    leaves = [ve.leaf_hash(data) for data in LEAVES]
    above = {(3, 0): bytes.fromhex(ROOTS[7])}
    with pytest.raises(ve.Forged, match="left out"):
        ve.roots([8], {5: ve.leaf_hash(b"not in the tree")}, above)
    proof = _bytes(INCLUSION[5, 8]) | above | {(1, 2): subtree(leaves, (1, 2))}
    assert ve.roots([8], {5: ve.leaf_hash(b"not in the tree")}, proof)[0].hex() != ROOTS[7]


@pytest.mark.parametrize("index", [8, -1, 10**12])
def test_a_leaf_beyond_the_tree_is_refused(index: int) -> None:
    with pytest.raises(ve.Unreadable, match="beyond"):
        ve.roots([8], {index: ve.EMPTY_ROOT}, {(3, 0): bytes.fromhex(ROOTS[7])})
