"""What a plan may leave us with is the most that any of its legs turns about, at its limit."""

from decimal import Decimal

import pytest

from engine.decide.under_way import exposure_quote
from engine.domain.opportunities import Leg, Side
from tests.reference.world import make_instrument


def leg(venue: str, side: Side, *, size: str, limit: str, notional: str) -> Leg:
    return Leg(
        instrument=make_instrument(venue),
        side=side,
        size_base=Decimal(size),
        price_limit=Decimal(limit),
        notional_quote=Decimal(notional),
        fee_quote=Decimal(0),
        frame_seq=1,
    )


@pytest.mark.parametrize(("sold_for", "exposure"), [("25", 25), ("15", 20)])
def test_the_exposure_of_a_gap_is_its_dearer_leg(sold_for: str, exposure: int) -> None:
    bought = leg("here", Side.BUY, size="2", limit="10", notional="18")
    sold = leg("there", Side.SELL, size="2", limit="7", notional=sold_for)

    assert exposure_quote([bought, sold]) == exposure


def test_the_exposure_of_a_route_of_three_counts_each_leg_by_what_the_first_pays() -> None:
    """A route from ETH: what its middle leg receives is counted in no asset of the first leg."""
    sold = leg("here", Side.SELL, size="2", limit="10", notional="20")
    bought = Leg(
        instrument=make_instrument("here", "ETH-USD"),
        side=Side.BUY,
        size_base=Decimal(50),
        price_limit=Decimal("0.5"),
        notional_quote=Decimal(20),
        fee_quote=Decimal(0),
        frame_seq=1,
    )
    last = Leg(
        instrument=make_instrument("here", "BTC-ETH"),
        side=Side.BUY,
        size_base=Decimal("2.1"),
        price_limit=Decimal(25),
        notional_quote=Decimal(50),
        fee_quote=Decimal(0),
        frame_seq=1,
    )

    # The first pays 2 BTC; the second, at its limit, 25 of 20 USD, the third 52.5 of 50 ETH.
    assert exposure_quote([sold, bought, last]) == 2 * Decimal("2.5")
