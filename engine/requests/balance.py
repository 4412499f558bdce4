"""The paper inventory: what is held where, what of it is reserved, and what it is worth now."""

from typing import TYPE_CHECKING

from engine.bus.reports import BalanceLine, BalanceReport
from engine.bus.request import EngineRequest
from engine.domain.exact import exact_product

if TYPE_CHECKING:
    from engine.operate.core_parts import Core
    from engine.operate.engine_answers import EngineAnswers


class GetBalance(EngineRequest[BalanceReport], frozen=True, kw_only=True):
    """The paper inventory by venue and asset."""

    async def answer(self, engine: "EngineAnswers", /) -> BalanceReport:
        """See `Request.answer`."""
        core = engine.core
        return BalanceReport(
            basis=core.basis,
            market_note=core.header.market_note,
            lines=_lines(core, engine.clock()),
            waiting=core.inventory.waiting,
        )


def _lines(core: "Core", at_ns: int) -> list[BalanceLine]:
    assets = {one.held.asset for one in core.inventory.holdings}
    usd_per = {asset: core.valuation.usd_per(asset, at_ns) for asset in assets}
    lines = []
    for one in core.inventory.holdings:
        price_usd = usd_per[one.held.asset]
        lines.append(
            BalanceLine(
                venue=one.venue,
                asset=one.held.asset,
                held=one.held.value,
                reserved=core.under_way.reserved(one.place),
                usd=None if price_usd is None else exact_product(one.held.value, price_usd),
                started=one.started.value,
                started_usd=one.started_usd,
            )
        )
    return lines
