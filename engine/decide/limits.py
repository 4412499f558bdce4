"""Limits: small objects in one list, each of which may refuse or shrink a draft of a plan.

A check returns None if the draft may pass, a `Finding` with the numbers if it may not, or the
greatest size that would pass. `limit_list` holds the list.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import ClassVar, Protocol

import msgspec

from engine.decide.limit_set import Term
from engine.decide.under_way import Need
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Opportunity, Reason


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


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft comes to at its exact size.

    Attributes:
        size_base: what the first leg receives.
        exposure_usd: what legs that fill without the others would leave us with.
        gas_usd: what is lost for certain if nothing comes of it.
        needs: what it may draw on.
        fixed: what it may draw on beside that whatever its size is.
        left_over: assets of which it may leave something over.
        orders: how many orders it sends, or transactions.
        is_scalable: whether a smaller one needs less.
        usd_at: what its orders turn at each venue at the most, where they are placed for real.
    """

    size_base: Decimal
    profit_quote: Decimal
    net_edge_bps: Decimal
    touches_taken: bool
    exposure_usd: Decimal
    gas_usd: Decimal
    needs: Sequence[Need]
    left_over: Sequence[AssetCode]
    orders: int
    is_scalable: bool
    fixed: Sequence[Need] = ()
    usd_at: Mapping[VenueId, Decimal] = {}


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An opportunity on its way to a plan.

    Attributes:
        figures: None while the early limits are asked.
    """

    opportunity: Opportunity
    figures: Figures | None = None


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
