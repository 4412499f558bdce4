"""Residuals: base that executions left over, as a fold over what was recorded of them.

The same fold keeps the positions while trading, restores them after a restart, and is what the
ledger adds up.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.assets import Amount, AssetCode
from engine.domain.instruments import VenueId

Place = tuple[VenueId, AssetCode, AssetCode]


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """Base left over at a venue.

    Attributes:
        held: what is left over, negative if owed.
        carry: what it was filled for, in the asset it was traded against.
    """

    venue: VenueId
    held: Amount
    carry: Amount

    @property
    def place(self) -> Place:
        """Where residuals add up: venue, base and quote."""
        return self.venue, self.held.asset, self.carry.asset

    def __add__(self, other: "Residual") -> "Residual":
        return Residual(
            venue=self.venue, held=self.held + other.held, carry=self.carry + other.carry
        )


def fold_residuals(parts: Iterable[Residual]) -> tuple[Residual, ...]:
    """Add up by place, exactly; a place where nothing is left is left out."""
    sums: dict[Place, Residual] = {}
    for part in parts:
        before = sums.get(part.place)
        sums[part.place] = part if before is None else before + part
    return tuple(one for _, one in sorted(sums.items()) if one.held.value)


def correction(before: Residual | None, added: Residual) -> Decimal:
    """Return what is realised, in quote, if `added` brings what was left over to zero."""
    if before is None or (before.held + added.held).value:
        return Decimal(0)
    return -(before.carry + added.carry).value
