"""An exchange is tried by an order far from the market, by the real roles, before all else."""

from decimal import Decimal
from pathlib import Path

import pytest

from engine.bus.trading import GetVenueOrders, TryVenue, VenueTried
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError, TransientError
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.gateways.rights import UNTOLD
from engine.sandbox.exchange.model import State
from engine.tools.exchange_test import chosen, size_of
from tests.trading.processes import Roles, running

VENUES = ("binance", "coinbase", "gemini", "bitstamp", "kraken")


def asked(roles: Roles, venue: str, number: int = 1, *, share: str = "0.5") -> TryVenue:
    instrument = roles.instrument(venue, "BTC-USD" if venue != "binance" else "BTC-USDT")
    best = max(roles.sandbox.truth(venue, instrument.wire_name)["bids"])
    price = instrument.floor_to_tick(best * Decimal(share))
    return TryVenue(
        venue=VenueId(venue),
        client_order_id=f"test-{venue}-{number}",
        wire_name=instrument.wire_name,
        size_base=size_of(instrument, price),
        price_limit=price,
    )


def failed(tried: VenueTried) -> list[str]:
    return [one.text for one in tried.lines if not one.is_so]


@pytest.mark.slow
async def test_at_every_venue_an_order_is_placed_looked_up_and_cancelled_before_anybody_is_live(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, *VENUES) as roles:
        await roles.until_open()
        for venue in VENUES:
            tried = await roles.ask(asked(roles, venue))

            assert failed(tried) == [], venue
            assert len(tried.lines) == 6
            told = venue not in ("bitstamp", "kraken")
            assert (tried.rights == UNTOLD) is not told
            assert tried.reconciled_at_ns > 0
            (made,) = roles.exchange(venue).orders
            assert made.state is State.CANCELLED
            assert made.fills == []
        report = await roles.ask(GetVenueOrders())
        assert report.count == 0
        assert [line.is_halted for line in report.venues] == [False] * len(VENUES)

        # The same again is another order under its id, which the signer has signed.
        again = await roles.ask(asked(roles, "binance"))
        assert "the signer does not sign it: an order was signed under its id" in failed(again)[0]
        near = await roles.ask(asked(roles, "coinbase", 2, share="1.5"))
        assert failed(near), "an order that would take from the book does not rest"
        with pytest.raises(BadValueError, match="no orders are placed at ftx"):
            await roles.ask(TryVenue(
                venue=VenueId("ftx"), client_order_id="x", wire_name="BTCUSD",
                size_base=Decimal(1), price_limit=Decimal(1),
            ))  # fmt: skip


def instrument(pair: str, **changes: object) -> Instrument:
    fields: dict[str, object] = {
        "venue": VenueId("kraken"),
        "pair": Pair.parse(pair),
        "wire_name": pair.replace("-", ""),
        "price_decimals": 2,
        "size_decimals": 8,
        "tick_quote": Decimal("0.01"),
        "lot_base": Decimal("0.0001"),
    }
    return Instrument(**fields | changes)  # type: ignore[arg-type]


def test_the_book_that_is_tried_is_live_and_against_dollars() -> None:
    listed = [instrument(one) for one in ("ETH-BTC", "SOL-USD", "BTC-USD", "BTC-EUR")]
    bids = {("kraken", "SOL-USD"): Decimal(100), ("gemini", "BTC-USD"): Decimal(1)}
    assert chosen(listed, bids, "kraken")[0].pair == Pair(AssetCode("SOL"), AssetCode("USD"))
    bids["kraken", "BTC-USD"] = Decimal(60_000)
    assert chosen(listed, bids, "kraken")[1] == Decimal(60_000)
    with pytest.raises(TransientError, match="no book of kraken against dollars is live"):
        chosen(listed, {("kraken", "ETH-BTC"): Decimal(1)}, "kraken")


@pytest.mark.parametrize(
    ("changes", "price", "size"),
    [
        ({}, "30000", "0.0004"),
        ({"size_min_base": Decimal("0.0005")}, "30000", "0.0005"),
        ({"notional_min_quote": Decimal(20)}, "30000", "0.0008"),
        ({"lot_base": Decimal("0.001")}, "30000", "0.001"),
    ],
)
def test_its_size_is_the_least_that_the_venue_takes_above_twelve_dollars(
    changes: dict[str, object], price: str, size: str
) -> None:
    assert size_of(instrument("BTC-USD", **changes), Decimal(price)) == Decimal(size)
