"""Limits: small objects in one list, each of which may refuse or shrink a draft of a plan.

A check returns None if the draft may pass, a `Finding` with the numbers if it may not, or the
greatest size that would pass. `limit_list` holds the list.
"""

from decimal import Decimal
from typing import ClassVar, Protocol

import msgspec

from engine.decide.limit_set import Term
from engine.domain.assets import AssetCode
from engine.domain.opportunities import Opportunity, Reason
from engine.quote.gap import Confirmed


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Why a draft may not become a plan."""

    reason: Reason
    detail: str


class ShrinkTo(msgspec.Struct, frozen=True, kw_only=True):
    """The draft may pass at this size at most; it has to be confirmed again.

    Attributes:
        reason: why it is refused if nothing fits.
    """

    size_base: Decimal
    reason: Reason
    detail: str


Verdict = Finding | ShrinkTo | None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An opportunity on its way to a plan.

    Attributes:
        confirmed: None while the early limits are asked.
        exposure_usd: what one leg alone would leave us with.
    """

    opportunity: Opportunity
    confirmed: Confirmed | None = None
    exposure_usd: Decimal = Decimal(0)


class Limit(Protocol):
    """One limit.

    Attributes:
        is_early: asked before the exact confirmation, which is spared if it refuses.
        reasons: reasons of refusals that it causes.
        term: the number that it goes by, None if it has none.
    """

    term: ClassVar[Term | None]
    name: str
    unit: str
    is_early: bool
    reasons: tuple[Reason, ...]

    @property
    def limit(self) -> str:
        """Its value, as text."""
        ...

    def used(self, at_ns: int) -> str:
        """What of it is used now, as text."""
        ...

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Judge a draft."""
        ...


def unknown_price(asset: AssetCode) -> Finding:
    """Return why nothing is planned while something is left over of which no price is known."""
    return Finding(
        reason=Reason.NO_USD_PRICE, detail=f"{asset} is left over and no USD price of it is known"
    )
