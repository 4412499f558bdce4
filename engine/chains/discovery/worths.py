"""What pools are worth: the tokens in them at prices that are known, others by pools beside those.

It chooses which pools are looked at and nothing else: a worth is an estimate, in floats.
"""

from collections.abc import Mapping
from typing import Final

from engine.chains.discovery.amounts import Held
from engine.chains.discovery.announcements import ANNOUNCED, PAIR

UNKNOWN: Final = -1.0
"""Worth of a pool none of whose tokens has a price."""


class Worths:
    """Values what is in pools, and learns prices of tokens from pairs with known ones.

    Args:
        usd_per_raw: price of the least unit of tokens that are known, by address.
        usd_min: a pair gives a price if there is more than this of known tokens in it.
    """

    def __init__(self, usd_per_raw: Mapping[str, float], usd_min: float) -> None:
        self._known = dict(usd_per_raw)
        self._usd_min = usd_min
        self._learnt: dict[str, tuple[float, float]] = {}

    def of(self, held: Held) -> float:
        """Return what is in a pool of known tokens, in dollars, and learn by it."""
        sides = {
            token: amount * self._known[token]
            for token, amount in held.amounts_raw.items()
            if token in self._known
        }
        if not sides:
            return UNKNOWN
        self._learn(held, sides)
        return sum(sides.values())

    def by_learnt(self, held: Held) -> float:
        """Return what is in a pool at prices that were learnt."""
        sides = [
            amount * self._learnt[token][1]
            for token, amount in held.amounts_raw.items()
            if token in self._learnt
        ]
        return sum(sides) if sides else UNKNOWN

    def _learn(self, held: Held, sides: Mapping[str, float]) -> None:
        if ANNOUNCED[held.pool.dex.protocol] is not PAIR or len(sides) != 1:
            return
        ((known, usd),) = sides.items()
        for token, amount in held.amounts_raw.items():
            if (
                token != known
                and amount
                and usd > max(self._usd_min, self._learnt.get(token, (0.0, 0.0))[0])
            ):
                self._learnt[token] = usd, usd / amount
