"""What the moves of pairs leave alone, as the kernel that writes them reads it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.detect.graph.pool_sides import PreparedPool, share_kept
from engine.detect.graph.side_arena import SideArena
from engine.kernels.pair_sides import PAIR_TERM_COLUMNS, PAIR_TERMS, write_pairs
from engine.kernels.pair_words import read_reserves
from engine.pools.blocks import WORD_BYTES


class PairTable:
    """Terms of pairs, by the numbers of their pools; known once a pair moves.

    Args:
        pool_max: no number is as high.
        sides: where directions are written.
    """

    def __init__(self, pool_max: int, sides: SideArena) -> None:
        self._terms = np.zeros((pool_max, PAIR_TERM_COLUMNS))
        self._bases: list[PreparedPool | None] = []
        self._sides = sides

    def used_arrays(self) -> list[NDArray[np.float64]]:
        """Return the rows of pairs; see `core.checkpoint`."""
        return [self._terms[: len(self._bases)]]

    def knows(self, number: int, base: PreparedPool) -> bool:
        """Say whether a pair's terms are known as it was prepared: it may be read with others."""
        return number < len(self._bases) and self._bases[number] is base

    def learn(self, number: int, base: PreparedPool, edges: Sequence[int]) -> None:
        """Take the terms of a pair, of which each direction has an edge."""
        units = [10.0**decimals for _, decimals in base.pool.tokens]
        keeps = [share_kept(base.pool, base.state, token) for token in (0, 1)]
        row = self._terms[number]
        row[PAIR_TERMS.UNIT : PAIR_TERMS.UNIT + 2] = units
        row[PAIR_TERMS.KEEP : PAIR_TERMS.KEEP + 2] = keeps
        row[PAIR_TERMS.EDGE : PAIR_TERMS.EDGE + 2] = edges
        self._bases += [None] * (number + 1 - len(self._bases))
        self._bases[number] = base

    def forget(self, number: int) -> None:
        """Forget a pool that is removed."""
        if number < len(self._bases):
            self._bases[number] = None

    def write(
        self,
        numbers: NDArray[np.int64],
        reserves_raw: NDArray[np.float64],
        places: NDArray[np.int64],
        edges: NDArray[np.int32],
        log_rates: NDArray[np.float64],
    ) -> None:
        """Write the sides of pairs whose terms are known; see `kernels.pair_sides`.

        Args:
            numbers: of the pairs.
            reserves_raw: float64, two of each, one after the other.
            places: where in the results each of them stands.
            edges: a result, two entries of each pair.
            log_rates: the other one.
        """
        write_pairs(
            self._terms,
            numbers,
            reserves_raw,
            places,
            self._sides.arrays,
            edges,
            log_rates,
        )


def reserves_of(words: bytes) -> NDArray[np.float64]:
    """Return the reserves that words of moved pairs say, as floats."""
    reserves_raw = np.empty(len(words) // WORD_BYTES)
    sound = read_reserves(words, reserves_raw)
    assert sound == len(reserves_raw)
    return reserves_raw
