"""How long opportunities lasted on Arbitrum in 2023, until somebody took them: where we begin.

Counted from the 652 arbitrages of the data set whose gain and whose opening swap are both known.
Christof Ferreira Torres, Albin Mamuti, Ben Weintraub, Cristina Nita-Rotaru and Shweta Shinde,
Rolling in the Shadows: Analyzing the Extraction of MEV Across Layer-2 Rollups, 2024;
https://github.com/christoftorres/Rolling-in-the-Shadows, commit 79d31e0a, under the MIT licence,
Copyright (c) 2024 Christof Ferreira Torres.

All of these were taken in the end, by the authors' heuristics: what nobody ever took is not in it.
"""

from typing import Final

EDGES_USD: Final = (0.0, 0.3, 1.0, 3.0)
"""Gains before gas, from which on each row counts."""

BLOCKS: Final = 8

TAKEN: Final = (
    (11, 190, 56, 23, 6, 3, 3, 3, 3, 23),
    (10, 127, 21, 11, 5, 2, 1, 3, 2, 20),
    (4, 52, 7, 1, 0, 2, 1, 0, 0, 3),
    (0, 50, 5, 0, 0, 0, 0, 0, 0, 4),
)
"""By edge: how many were taken in the same block, the next one, .. the eighth, and later."""

TAKEN_EARLIER: Final = (
    (4, 114, 35, 15, 3, 2, 1, 2, 1, 11),
    (5, 76, 14, 4, 4, 2, 1, 1, 2, 13),
    (3, 28, 4, 0, 0, 2, 1, 0, 0, 0),
    (0, 36, 3, 0, 0, 0, 0, 0, 0, 4),
)
"""Of these, the first 391 in time: what the rest (`TAKEN` without them) is foretold from."""
