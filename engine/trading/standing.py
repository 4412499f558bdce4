"""How a venue stands: whether orders are taken on there, why not, and what is ours there."""

from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.instruments import VenueId
from engine.domain.orders_told import HeldAtVenue, VenueSeen
from engine.domain.units import BPS_PER_UNIT
from engine.domain.venue_orders import FeeShown
from engine.gateways.answers import Stop


@dataclass(slots=True, kw_only=True)
class Standing:
    """Of one venue.

    Attributes:
        key_trouble: why the key may not be traded with; None as long as nobody has looked.
        stop: why the venue itself wants nothing more; None if it does not say so.
        halted: why a person has to look at it; empty if nobody has.
        unchecked: why it was not compared yet, or could not be the last time.
        others_count: open orders of somebody else on the account.
        seen: what is ours there, of the last reading that all that was told went into.
        fees: of our tier; `fees_asked` the instruments that were asked for.
    """

    venue: VenueId
    key_trouble: str | None = None
    key_read_at_ns: int = 0
    stop: tuple[Stop, str] | None = None
    halted: str = ""
    unchecked: str = "it was not compared with what is written yet"
    checked_at_ns: int = 0
    differences: tuple[str, ...] = ()
    others_count: int = 0
    held: tuple[HeldAtVenue, ...] = ()
    seen: VenueSeen | None = None
    fees: tuple[FeeShown, ...] = ()
    fees_at_ns: int = 0
    fees_asked: frozenset[str] = frozenset()
    asked_wire_names: set[str] = field(default_factory=set)

    @property
    def taker_bps(self) -> Decimal | None:
        """The dearest taker fee that was told, None if none was."""
        told = [one.taker_ratio for one in self.fees]
        return max(told) * BPS_PER_UNIT if told else None

    def stopped(self, stop: Stop, why: str) -> None:
        """Learn why nothing more may be sent to the venue; the next clean look ends it."""
        self.stop = (stop, why)

    def why_not(self, *, trouble: str, note: str) -> str:
        """Say why no order is taken on; empty if one is.

        Args:
            trouble: why the venue gave the last call no answer.
            note: until when it wants to be left alone.
        """
        if self.halted:
            return f"{self.venue} is halted: {self.halted}"
        if self.stop is not None:
            stop, why = self.stop
            return f"{self.venue} takes nothing ({stop}): {why}"
        unknown = "what its key may do is not known yet"
        said = unknown if self.key_trouble is None else self.key_trouble or self.unchecked or note
        if not said and trouble:
            said = f"it does not answer: {trouble}"
        return f"{self.venue}: {said}" if said else ""
