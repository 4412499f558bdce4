"""The report of the paper inventory, made from the parts of a run; it changes nothing of it."""

from engine.bus.reports import BalanceLine, BalanceReport
from engine.domain.exact import exact_product
from engine.operate.engine_reports import RunParts


def make_balance_report(of: RunParts, at_ns: int) -> BalanceReport:
    """Return what is held where, what of it is reserved, and what it is worth now."""
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
    return BalanceReport(
        basis=of.header.basis,
        market_note=of.header.market_note,
        lines=lines,
        waiting=of.inventory.waiting,
    )
