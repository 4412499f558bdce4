"""The paper inventory: what is held where, what of it is reserved, and what it is worth now."""

from typing import TYPE_CHECKING

from engine.bus.reports import BalanceLine, BalanceReport
from engine.bus.request import EngineRequest
from engine.domain.exact import exact_product

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers
    from engine.operate.engine_reports import RunParts


class GetBalance(EngineRequest[BalanceReport], frozen=True, kw_only=True):
    """The paper inventory by venue and asset."""

    async def answer(self, engine: "EngineAnswers", /) -> BalanceReport:
        """See `Request.answer`."""
        of = engine.parts
        return BalanceReport(
            basis=of.header.basis,
            market_note=of.header.market_note,
            lines=_lines(of, engine.clock()),
            waiting=of.inventory.waiting,
        )


def _lines(of: "RunParts", at_ns: int) -> list[BalanceLine]:
    assets = {one.held.asset for one in of.inventory.holdings}
    usd_per = {asset: of.valuation.usd_per(asset, at_ns) for asset in assets}
    lines = []
    for one in of.inventory.holdings:
        price_usd = usd_per[one.held.asset]
        lines.append(
            BalanceLine(
                venue=one.venue,
                asset=one.held.asset,
                held=one.held.value,
                reserved=of.under_way.reserved(one.place),
                usd=None if price_usd is None else exact_product(one.held.value, price_usd),
                started=one.started.value,
                started_usd=one.started_usd,
            )
        )
    return lines
