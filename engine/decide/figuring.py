"""What a draft with orders at books comes to, as limits look at it; on paper or for real."""

from decimal import Decimal

from engine.decide.account import LiveAccount
from engine.decide.limits import Figures, Finding
from engine.decide.mixing import mixed_figures, why_no_gas
from engine.decide.planning import AnyConfirmed
from engine.decide.under_way import exposure_quote, needs, venues_usd
from engine.domain.opportunities import Reason
from engine.domain.plans import wallet_of
from engine.quote.gap import Confirmed


def figures_of(
    confirmed: AnyConfirmed, usd_per_quote: Decimal, *, live: LiveAccount | None
) -> Figures | Finding:
    """Return what a draft comes to at an exact size, or why it cannot be paid for.

    Args:
        confirmed: the route, alone or around a transaction.
        usd_per_quote: value of the asset that it starts and ends in.
        live: the books of what is carried out for real; None on paper.
    """
    if isinstance(confirmed, Confirmed):
        return _legged(confirmed, usd_per_quote, is_live=live is not None)
    if live is None:
        return mixed_figures(confirmed, usd_per_quote)
    coins = live.wallets.coins.get(confirmed.chain)
    promised = live.under_way.gas_at(wallet_of(confirmed.chain))
    if why := why_no_gas(confirmed, coins, promised=promised):
        return Finding(reason=Reason.BALANCE_TOO_LOW, detail=why)
    return mixed_figures(confirmed, usd_per_quote, coins=coins)


def _legged(confirmed: Confirmed, usd_per_quote: Decimal, *, is_live: bool) -> Figures:
    legs = confirmed.legs
    return Figures(
        size_base=confirmed.size_base,
        profit_quote=confirmed.profit_quote,
        net_edge_bps=confirmed.net_edge_bps,
        touches_taken=confirmed.touches_taken,
        exposure_usd=exposure_quote(legs) * usd_per_quote,
        gas_usd=Decimal(0),
        needs=needs(legs),
        left_over=[leg.target for leg in legs[:-1]],
        orders=len(legs),
        is_scalable=True,
        usd_at=venues_usd(legs, usd_per_quote) if is_live else {},
    )
