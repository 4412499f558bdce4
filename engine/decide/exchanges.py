"""Which venues take orders for real, and how each stands by the last word of whoever trades there.

A word counts for so long and no longer: whoever trades and says nothing is not traded with. All of
it comes as inputs, so that a replay knows the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Hop, HopKind
from engine.domain.orders_told import VenueSeen
from engine.domain.units import NS_PER_S

WORD_S_MAX: Final = 30
"""Without a word for so long no plan goes to a venue."""

BALANCES_S_MAX: Final = 300
"""Nor if its balances were read, and compared with all that is written, longer ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """The last word of a venue.

    Attributes:
        heard_at_ns: when it was taken; `read_at_ns` when the balances were read.
        why_not: why it takes no orders; empty if it does.
        has_balances: whether its balances were ever taken over.
    """

    heard_at_ns: int
    read_at_ns: int
    why_not: str
    has_balances: bool


class Exchanges:
    """Venues that orders may be placed at, as the settings say, and their standing.

    Args:
        most_usd: of each such venue, the most that may be at risk there.
    """

    def __init__(self, most_usd: Mapping[VenueId, Decimal] | None = None) -> None:
        self._most_usd = dict(most_usd or {})
        self.enabled = frozenset(self._most_usd)
        self._words: dict[VenueId, Word] = {}

    def take(self, seen: VenueSeen, at_ns: int, *, has_balances: bool) -> None:
        """Take the word of a venue.

        Args:
            seen: the word.
            at_ns: now.
            has_balances: whether the books have its balances by this word.
        """
        known = self._words.get(seen.venue)
        self._words[seen.venue] = Word(
            heard_at_ns=at_ns,
            read_at_ns=seen.at_ns,
            why_not=seen.why_not,
            has_balances=has_balances or (known is not None and known.has_balances),
        )

    def takes(self, hops: Sequence[Hop]) -> bool:
        """Say whether every place of a route is a venue that orders may be placed at."""
        return bool(self.enabled) and all(hop.venue in self.enabled for hop in hops)

    def exposure_usd(self, venue: VenueId) -> Decimal:
        """Return the most that may be at risk at a venue."""
        return self._most_usd.get(venue, Decimal(0))

    def why_not(self, hops: Sequence[Hop], at_ns: int) -> str:
        """Say why no order of a route may leave now; empty if it may."""
        for hop in hops:
            if hop.kind is HopKind.BOOK and (why := self.why_not_at(hop.venue, at_ns)):
                return why
        return ""

    def why_not_at(self, venue: VenueId, at_ns: int) -> str:
        """Say why a venue takes no orders now; empty if it does."""
        if venue not in self.enabled:
            return f"{venue} is not among the venues that are traded for real"
        word = self._words.get(venue)
        if word is None:
            return f"nothing was heard of {venue} yet"
        if word.why_not:
            return f"{venue}: {word.why_not}"
        if not word.has_balances:
            return f"the balances of {venue} are not known yet"
        for what, since_ns, most_s in (
            (f"nothing was heard of {venue}", word.heard_at_ns, WORD_S_MAX),
            (f"the balances of {venue} were not compared", word.read_at_ns, BALANCES_S_MAX),
        ):
            if at_ns - since_ns > most_s * NS_PER_S:
                return f"{what} for {(at_ns - since_ns) // NS_PER_S} s, at most {most_s} s"
        return ""

    def step_clock(self, step_ns: int) -> None:
        """Keep all words as old as they are, whatever the clock was set by."""
        self._words = {
            venue: Word(
                heard_at_ns=word.heard_at_ns + step_ns,
                read_at_ns=word.read_at_ns + step_ns,
                why_not=word.why_not,
                has_balances=word.has_balances,
            )
            for venue, word in self._words.items()
        }
