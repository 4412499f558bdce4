"""Which rows of the price matrix belong together: what moves with a moving instrument.

Predictive warming: when a row moves, its own pair elsewhere follows first, then the pairs that
share an asset with it. The order is laid out once; asking for it takes no memory.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.domain.errors import BadValueError
from engine.market.matrix_block import Place

SHARING_MAX: Final = 1_024
"""Rows that share an asset with a pair and are kept for it; more of them count as the rest."""

Numbers = npt.NDArray[np.int64]


class RefreshOrder:
    """For each row, the other rows by how closely they are related to it.

    Pairs have no direction here: rows of A-B and of B-A are of one pair.

    Attributes:
        groups: as `kernels.refresh_order.choose_stale` takes them; a group is a pair.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        if not places:
            raise BadValueError("no rows to be put in an order")
        rows_of: dict[frozenset[str], list[int]] = {}
        sharing: dict[str, list[int]] = {}
        for row, place in enumerate(places):
            rows_of.setdefault(frozenset((place.base, place.quote)), []).append(row)
            sharing.setdefault(place.base, []).append(row)
            sharing.setdefault(place.quote, []).append(row)
        group_of = np.zeros(len(places), np.int64)
        starts = [0]
        related: list[int] = []
        for group, (pair, same) in enumerate(rows_of.items()):
            group_of[same] = group
            related += same
            related += _sharing(pair, same, sharing)
            starts.append(len(related))
        self.groups: tuple[Numbers, Numbers, Numbers] = (
            group_of,
            np.array(starts, np.int64),
            np.array(related, np.int64),
        )


def _sharing(pair: frozenset[str], same: Sequence[int], sharing: dict[str, list[int]]) -> list[int]:
    """Return rows that share an asset with a pair, the rows of rarer assets first.

    A row of a rare asset tells more about the pair than one of an asset that all rows have.
    """
    seen = set(same)
    found: list[int] = []
    for asset in sorted(pair, key=lambda one: (len(sharing[one]), one)):
        for row in sharing[asset]:
            if len(found) == SHARING_MAX:
                return found
            if row not in seen:
                seen.add(row)
                found.append(row)
    return found
