"""The gate of plans of orders and a transaction: both halves are carried out for real, or neither.

One half alone is worth nothing, so that a route stays on paper as long as either does. What is
missing is a sentence, which a refusal says and so do `/why` and `/mode`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.decide.exchanges import Exchanges
from engine.decide.switches import Switches
from engine.domain.opportunities import Hop, HopKind

ON_PAPER: Final = "orders together with a transaction are on paper alone"
"""In recordings of versions that did not carry them out, and wherever nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedGate:
    """See the module.

    Attributes:
        shut: why nothing of the kind is carried out in a run, whatever its mode; empty if it is.
    """

    shut: str = ON_PAPER

    def why_not(self, hops: Sequence[Hop], switches: Switches, exchanges: Exchanges) -> str:
        """Say why a mixed route is not traded for real as things are now; empty if it is."""
        if why := self.why_never(switches, exchanges):
            return why
        if not switches.sends:
            return f"mode {switches.mode} sends no transactions here, nor orders beside them"
        venues = {hop.venue for hop in hops if hop.kind is HopKind.BOOK}
        if others := sorted(venues - exchanges.enabled):
            return (
                f"orders at {', '.join(others)} are on paper, and a transaction is worth nothing"
                " without them"
            )
        return ""

    def why_never(self, switches: Switches, exchanges: Exchanges) -> str:
        """Say why none is carried out for real by this run, whatever its mode and route."""
        if self.shut:
            return self.shut
        if not switches.sends_live:
            return f"{ON_PAPER}: this engine sends no transactions"
        return "" if exchanges.enabled else f"{ON_PAPER}: this engine places no orders"
