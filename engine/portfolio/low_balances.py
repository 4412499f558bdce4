"""Which places of live money are low: told once when one turns low, and once when it is back.

A place is low while what is free there covers not even the least that a route draws on it, or less
than the operator's floor for its asset. What a place never covered is not told: nobody counted on
it, unless a floor says so. What an earlier run left says how a place was before the first look.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.holdings import Place
from engine.domain.low_balances import BalanceTurn, Draw

BACK_RATIO: Final = Decimal("1.1")
"""What is back has so many times what is needed: prices move that, and must not make it flap."""


class LowBalances:
    """How each place was at the last look.

    Args:
        floors: by asset what the operator wants to be told below, at each place that is watched.
    """

    def __init__(self, floors: Mapping[AssetCode, Decimal] | None = None) -> None:
        self._floors = dict(floors or {})
        self._is_low: dict[Place, bool] = {}
        self._first: dict[Place, Decimal | None] = {}

    def judge(
        self, place: Place, *, free: Decimal, before: Decimal | None, draws: Sequence[Draw]
    ) -> BalanceTurn | None:
        """Judge what a place holds; return how it turned, None if it did not.

        Args:
            place: which.
            free: what is there and not reserved.
            before: what our books had there before this look, None if they did not know it.
            draws: the least that each kind of plan draws on it, as far as that is known.
        """
        bars = [*draws, *self._floor(place[1])]
        first = self._first.setdefault(place, before)
        if not bars:
            return None
        was_low = self._is_low.get(place)
        is_first = was_low is None
        if was_low is None:
            was_low = _is_short(bars, free if first is None else first)
        is_low = _is_short(bars, free / BACK_RATIO if was_low else free)
        self._is_low[place] = is_low
        turn = _turn(place, bars, free, is_low=is_low)
        is_news = is_low is not was_low or (is_first and turn.is_below_floor)
        return turn if is_news else None

    def _floor(self, asset: AssetCode) -> list[Draw]:
        floor = self._floors.get(asset)
        return [] if floor is None else [Draw(what="", needed=floor)]


def _is_short(bars: Sequence[Draw], free: Decimal) -> bool:
    return any(one.needed > free for one in bars)


def _turn(place: Place, bars: Sequence[Draw], free: Decimal, *, is_low: bool) -> BalanceTurn:
    venue, asset = place
    short = [one for one in bars if one.needed > free]
    return BalanceTurn(
        venue=venue,
        asset=asset,
        is_low=is_low,
        free=free,
        needed=max(one.needed for one in bars),
        stops=tuple(one.what for one in short if one.what),
        is_below_floor=any(not one.what for one in short),
    )
