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
