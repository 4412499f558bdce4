"""Residuals: base that executions left over, as a fold over what was recorded of them.

The same fold keeps the positions while trading, restores them after a restart, and is what the
ledger adds up.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal
from typing import Final

from engine.domain.assets import Amount, AssetCode
from engine.domain.instruments import VenueId

Place = tuple[VenueId, AssetCode, AssetCode]

CARRY_STEP: Final = Decimal("0.00000001")
"""Step to which a carry is rounded."""

_SHORT: Final = Context(prec=18, rounding=ROUND_CEILING)


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

    def __neg__(self) -> "Residual":
        return Residual(venue=self.venue, held=-self.held, carry=-self.carry)

    def __add__(self, other: "Residual") -> "Residual":
        return Residual(
            venue=self.venue, held=self.held + other.held, carry=self.carry + other.carry
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPrice:
    """What an asset was worth when last known: by live books, or as it was filled."""

    asset: AssetCode
    usd: Decimal
    at_ns: int


def prices_of(
    residuals: Iterable[Residual], *, usd_per_quote: Decimal, at_ns: int
) -> Iterator[LastPrice]:
    """Yield what the residuals of one execution say of their assets and of those of their carry.

    A carry is rounded against us, which for a crumb is much of it: its price is taken upwards.
    """
    for one in residuals:
        carry = abs(one.carry.value) + CARRY_STEP
        filled_usd = _SHORT.divide(carry * usd_per_quote, abs(one.held.value))
        yield LastPrice(asset=one.held.asset, usd=filled_usd, at_ns=at_ns)
        yield LastPrice(asset=one.carry.asset, usd=usd_per_quote, at_ns=at_ns)


def fold_residuals(parts: Iterable[Residual]) -> tuple[Residual, ...]:
    """Add up by place, exactly; a place where nothing is left is left out."""
    sums: dict[Place, Residual] = {}
    for part in parts:
        before = sums.get(part.place)
        sums[part.place] = part if before is None else before + part
    return tuple(one for _, one in sorted(sums.items()) if one.held.value)


def residual_changes(before: Iterable[Residual], after: Iterable[Residual]) -> tuple[Residual, ...]:
    """Return what makes residuals of what they were before, by place.

    One whose carry alone changed is part of it, unlike of a fold.
    """
    sums: dict[Place, Residual] = {}
    for sign, parts in ((-1, before), (1, after)):
        for part in parts:
            signed = part if sign > 0 else -part
            known = sums.get(part.place)
            sums[part.place] = signed if known is None else known + signed
    return tuple(one for _, one in sorted(sums.items()) if one.held.value or one.carry.value)


def correction(before: Residual | None, added: Residual) -> Decimal:
    """Return what is realised, in quote, if nothing is left over once `added` is."""
    total = added if before is None else before + added
    return Decimal(0) if total.held.value else -total.carry.value
