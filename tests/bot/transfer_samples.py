"""Transfers as a trader tells of them."""

from decimal import Decimal

from engine.bus.transfer_reports import TransferLine, TransfersReport, TransferTermsReport
from engine.bus.transferring import GetTransferTerms
from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.transfer_life import TransferOrder
from engine.domain.transfers import UNNAMED, TransferMatter, TransferNews
from engine.domain.units import NS_PER_S
from tests.bot.samples import AT_NS

BTC = AssetCode("BTC")
TO = Destination(
    venue=VenueId("binance"),
    asset=BTC,
    chain="bitcoin",
    address="14LsykHvmU8vKLGNHmjBzUMb46UmRFA1dt",
)


def order(transfer_id: str = "t4f09a1c2b", amount: str = "0.5") -> TransferOrder:
    return TransferOrder(
        transfer_id=transfer_id,
        asset=BTC,
        source=VenueId("kraken"),
        destination=TO,
        amount=Decimal(amount),
        test_amount=Decimal("0.05"),
        delay_ns=600 * NS_PER_S,
    )


def transfers() -> TransfersReport:
    """One whose rest is unknown, and one that failed."""
    return TransfersReport(
        basis=Basis.SANDBOX_LIVE,
        sources=(VenueId("binance"), VenueId("kraken")),
        allowed=(TO,),
        lines=[
            TransferLine(
                order=order(),
                by="ann",
                state="unknown",
                taken_on_ns=AT_NS - 1_500 * NS_PER_S,
                due_ns=AT_NS - 900 * NS_PER_S,
                under_way=Decimal("0.45"),
                arrived=Decimal("0.0499"),
                cost=Decimal("0.0001"),
                unknown_since_ns=AT_NS - 240 * NS_PER_S,
            ),
            TransferLine(
                order=order("t77ab01c3d0", "0.2"),
                by="ann",
                state="test failed",
                taken_on_ns=AT_NS - 90_000 * NS_PER_S,
                due_ns=AT_NS - 89_400 * NS_PER_S,
                under_way=Decimal(0),
                arrived=Decimal(0),
                cost=Decimal(0),
                is_open=False,
                news=(
                    TransferNews(
                        matter=TransferMatter.FAILED,
                        what="its test failed: kraken refused it: EFunding:Unknown withdraw key",
                        at_ns=AT_NS - 89_000 * NS_PER_S,
                    ),
                ),
            ),
        ],
    )


def terms(asked: GetTransferTerms) -> TransferTermsReport:
    """The terms of whatever is asked for, to the one address there is."""
    if (asked.source, asked.target, asked.asset) != ("kraken", "binance", "BTC"):
        return TransferTermsReport(
            basis=Basis.SANDBOX_LIVE, why_not=f"nothing is withdrawn from {asked.source}"
        )
    return TransferTermsReport(
        basis=Basis.SANDBOX_LIVE,
        order=order(UNNAMED, f"{asked.amount:f}"),
        free=Decimal("1.25"),
        asset=BTC,
    )
