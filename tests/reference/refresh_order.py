"""Slow twin of the refresh order: a rank for every row, and a sort."""

from collections.abc import Mapping, Sequence

Pair = tuple[str, str]


def rank(pairs: Sequence[Pair], moving: int, row: int) -> int:
    """0 for the moving row, 1 for its pair, 2 for a shared asset, 3 for the rest."""
    if row == moving:
        return 0
    shared = len(set(pairs[row]) & set(pairs[moving]))
    return {2: 1, 1: 2, 0: 3}[shared]


def ranks_of_stale(
    pairs: Sequence[Pair], moving: int, held: Mapping[int, int], versions: Mapping[int, int]
) -> list[int]:
    """Ranks of the rows whose copies are out of date, in the order they are to be refreshed."""
    stale = [row for row in range(len(pairs)) if versions[row] > held[row]]
    return sorted(rank(pairs, moving, row) for row in stale)
