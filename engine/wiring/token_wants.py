"""Which tokens the pools of a chain are made of, where each is best bought, what rests on it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from engine.chains.discovery.found import FoundPool
from engine.chains.safety.prober import Market
from engine.chains.safety.token_watch import TokenWatch, Wanted
from engine.domain.pools import Protocol
from engine.domain.tokens import NATIVE_ADDRESS, is_curated

HELD_BY_FACTORY: Final = frozenset(
    (Protocol.UNISWAP_V4, Protocol.BALANCER_WEIGHTED, Protocol.BALANCER_STABLE)
)
"""One contract holds what is in all pools of these."""


class _Place(NamedTuple):
    """A place to buy at; the greater, the better."""

    is_by_curated: bool
    is_own_pool: bool
    worth_usd: float
    market: Market


class TokenWants:
    """Collects a round of pools, the richest first, and tells the watch what is wanted."""

    def __init__(self, watch: TokenWatch) -> None:
        self._watch = watch
        self._places: dict[str, _Place] = {}
        self._worth_usd: dict[str, float] = {}
        self._chain_of: dict[str, str] = {}
        self._before: set[str] = set()

    def why_not(self, found: FoundPool, worth_usd: float) -> str:
        """Return why a pool may not be followed by its tokens, and note that it wants them."""
        for token, place in _places(found, worth_usd):
            self._worth_usd[token] = self._worth_usd.get(token, 0.0) + worth_usd
            self._chain_of[token] = found.dex.chain
            if token not in self._places or place > self._places[token]:
                self._places[token] = place
        whys = ((token, self._watch.why_not(token)) for token in found.tokens)
        return next((f"{token}: {why}" for token, why in whys if why), "")

    def begin_round(self) -> None:
        """Forget what a round noted that came to no end."""
        self._places, self._worth_usd, self._chain_of = {}, {}, {}

    def end_round(self) -> None:
        """Tell the watch what the pools of this round want."""
        for token, place in self._places.items():
            chain = self._chain_of[token]
            wanted = Wanted(self._worth_usd[token], place.market, is_curated(chain, token))
            self._watch.want(token, wanted)
        for token in self._before - set(self._places):
            self._watch.want_no_more(token)
        self._before = set(self._places)


def _places(found: FoundPool, worth_usd: float) -> Iterator[tuple[str, _Place]]:
    is_own_pool = found.dex.protocol not in HELD_BY_FACTORY
    holder = found.address if is_own_pool else found.dex.factory
    for token in found.tokens:
        if token == NATIVE_ADDRESS:
            continue
        counters = sorted(
            (one for one in found.tokens if one != token),
            key=lambda one: is_curated(found.dex.chain, one),
        )
        if counters:
            counter = counters[-1]
            by_curated = is_curated(found.dex.chain, counter)
            yield token, _Place(by_curated, is_own_pool, worth_usd, Market(holder, counter))
