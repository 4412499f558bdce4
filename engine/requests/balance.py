"""The inventories, paper and live: what is held where, what is reserved, what it is worth now."""

from typing import TYPE_CHECKING

from engine.bus.reports import BalanceLine, BalanceReport
from engine.bus.request import EngineRequest
from engine.domain.exact import exact_product
from engine.domain.modes import Money

if TYPE_CHECKING:
    from engine.decide.account import Account
    from engine.operate.core_parts import Core
    from engine.operate.engine_answers import EngineAnswers


class GetBalance(EngineRequest[BalanceReport], frozen=True, kw_only=True):
    """The paper inventory by venue and asset, and what is on chain of live money."""

    async def answer(self, engine: "EngineAnswers", /) -> BalanceReport:
        """See `Request.answer`."""
        core = engine.core
        return BalanceReport(
            basis=core.basis,
            market_note=core.header.market_note,
            lines=[
                line
                for money, account in zip(Money, core.decider.accounts, strict=True)
                for line in _lines(core, account, money, engine.clock())
            ],
            waiting=core.inventory.waiting,
        )


def _lines(core: "Core", account: "Account", money: Money, at_ns: int) -> list[BalanceLine]:
    holdings = account.inventory.holdings
    assets = {one.held.asset for one in holdings}
    usd_per = {asset: core.valuation.usd_per(asset, at_ns) for asset in assets}
    lines = []
    for one in holdings:
        price_usd = usd_per[one.held.asset]
        lines.append(
            BalanceLine(
                venue=one.venue,
                asset=one.held.asset,
                held=one.held.value,
                reserved=account.under_way.reserved(one.place),
                usd=None if price_usd is None else exact_product(one.held.value, price_usd),
                started=one.started.value,
                started_usd=one.started_usd,
                money=money,
            )
        )
    return lines
