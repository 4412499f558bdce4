"""What whoever places orders says, made up."""

from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from engine.bus.trading_reports import VenueDeskLine, VenueOrderLine, VenueOrdersReport
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.opportunities import Side
from engine.domain.orders import Purpose
from engine.domain.orders_told import FillTold, HeldAtVenue, OrderFate, OrderNews
from engine.domain.units import NS_PER_S
from engine.domain.venue_orders import FeeShown
from tests.bot import samples

AT_NS: Final = samples.AT_NS

_FILLED: Final = VenueOrderLine(
    client_order_id="r7-15-p-o1",
    plan_id="r7-15-p",
    engine="main",
    venue="binance",
    instrument="ETHUSDT",
    side=Side.BUY,
    size_base=Decimal("0.25"),
    price_limit=Decimal("1883.4"),
    purpose=Purpose.LEG,
    handed_at_ns=AT_NS - 40 * NS_PER_S,
    news=OrderNews(
        client_order_id="r7-15-p-o1",
        venue=VenueId("binance"),
        version=3,
        fate=OrderFate.FILLED,
        venue_order_id="83017264",
        fills=(
            FillTold(
                fill_id="1",
                filled_at_ns=AT_NS - 39 * NS_PER_S,
                price=Decimal("1883.1"),
                size_base=Decimal("0.25"),
                fee=Decimal("0.00057"),
                fee_asset=AssetCode("BNB"),
            ),
        ),
        filled_base=Decimal("0.25"),
    ),
)
_UNKNOWN: Final = replace(
    _FILLED,
    client_order_id="r7-19-p-o2",
    plan_id="r7-19-p",
    venue="kraken",
    instrument="ETH/USDT",
    side=Side.SELL,
    news=None,
    unknown_since_ns=AT_NS - 95 * NS_PER_S,
)


def orders(client_order_id: str = "") -> VenueOrdersReport:
    shown = [_UNKNOWN, _FILLED]
    if client_order_id:
        shown = [one for one in shown if one.client_order_id == client_order_id]
    return VenueOrdersReport(
        basis=Basis.SANDBOX_LIVE,
        venues=[
            VenueDeskLine(
                venue="binance",
                reconciled_at_ns=AT_NS - 12 * NS_PER_S,
                held=(_held("ETH", "1.25"), _held("USDT", "2104.5"), _held("BNB", "0.31")),
                fees=(FeeShown(maker_ratio=Decimal("0.001"), taker_ratio=Decimal("0.001")),),
                fees_at_ns=AT_NS - 3_000 * NS_PER_S,
                has_stream=True,
            ),
            VenueDeskLine(
                venue="kraken",
                why_not="what became of r7-19-p-o2 is unknown",
                open_count=1,
                unknown_count=1,
                rests_count=1,
                reconciled_at_ns=AT_NS - 70 * NS_PER_S,
                held=(_held("ETH", "0.75", "0.25"), _held("USDT", "311")),
                fees=(FeeShown(maker_ratio=Decimal("0.0025"), taker_ratio=Decimal("0.004")),),
                fees_at_ns=AT_NS - 3_000 * NS_PER_S,
                dead_man_s=60,
            ),
        ],
        orders=shown,
        count=38,
    )


def _held(asset: str, free: str, held: str = "0") -> HeldAtVenue:
    return HeldAtVenue(asset=AssetCode(asset), free=Decimal(free), held=Decimal(held))
