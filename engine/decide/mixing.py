"""Mixed plans as the decider makes them: what a draft of one comes to, and the plan itself."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from engine.decide.bounds.proof import longest_unproven
from engine.decide.circumstances import Circumstances
from engine.decide.first_part import FirstPart
from engine.decide.limits import Figures
from engine.decide.under_way import Need, exposure_quote, gas_need, mixed_needs, venues_usd
from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.modes import Money
from engine.domain.opportunities import Opportunity
from engine.domain.plans import GasBound, MixedPlan, Part, Sizing, Swaps
from engine.domain.units import NS_PER_MS
from engine.portfolio.costs import EXACT
from engine.quote.atomic import ConfirmedAtomic
from engine.quote.mixed import ConfirmedMixed

_NONE: Final = Decimal(0)

GAS_KEPT: Final = 20
"""A swap that gives what its chain's gas is paid in leaves enough for so many transactions."""


def mixed_figures(
    confirmed: ConfirmedMixed, usd_per_quote: Decimal, *, coins: Decimal | None = None
) -> Figures:
    """Return what a draft comes to at an exact size.

    Args:
        confirmed: the route.
        usd_per_quote: value of the asset that it starts and ends in.
        coins: of a draft that is carried out for real, what the wallet has for gas.
    """
    parts = confirmed.parts
    swaps = Swaps.of(confirmed.chain, confirmed.steps)
    return Figures(
        size_base=confirmed.size_base,
        profit_quote=confirmed.profit_quote,
        net_edge_bps=confirmed.net_edge_bps,
        touches_taken=confirmed.touches_taken,
        exposure_usd=exposure_quote(parts) * usd_per_quote,
        gas_usd=confirmed.gas.quote * usd_per_quote,
        needs=mixed_needs(confirmed.legs, swaps),
        fixed=[_gas_kept(swaps, confirmed.gas, coins)],
        left_over=[part.target for part in parts[:-1]],
        orders=len(confirmed.legs) + 1,
        is_scalable=True,
        usd_at={} if coins is None else venues_usd(parts, usd_per_quote),
    )


def why_no_gas(
    confirmed: ConfirmedMixed | ConfirmedAtomic,
    coins: Decimal | None,
    *,
    promised: Decimal = _NONE,
) -> str:
    """Say why a wallet cannot pay for gas, whatever else it holds; empty if it can.

    The books have coins and what wraps them as one: gas is paid with coins alone.

    Args:
        confirmed: the route.
        coins: of the wallet, None where nobody read them.
        promised: what plans under way may take of them.
    """
    if coins is None:
        return f"nobody read yet what coins the wallet on {confirmed.chain} has for gas"
    gas = confirmed.gas
    if EXACT.subtract(coins, promised) >= gas.amount:
        return ""
    beside = f" ({promised:.6f} of them for plans under way)" if promised else ""
    return (
        f"the wallet on {confirmed.chain} has {coins:.6f} {gas.asset} in coins{beside} of the"
        f" {gas.amount:.6f} that its gas may take"
    )


def _gas_kept(swaps: Swaps, gas: GasBound, coins: Decimal | None) -> Need:
    """Return what has to be there for gas beside what is swapped.

    For real that is all coins: what is swapped of the same asset is wrapped.
    """
    place, amount = gas_need(swaps.venue, gas)
    if swaps.source != gas.asset:
        return place, amount
    return place, amount * GAS_KEPT if coins is None else max(amount, coins)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixing:
    """Makes mixed plans of what is confirmed."""

    circumstances: Circumstances
    plan_ttl_ns: int

    def plan(
        self,
        opportunity: Opportunity,
        confirmed: ConfirmedMixed,
        *,
        usd_per_quote: Decimal,
        sizing: Sizing,
        at_ns: int,
    ) -> MixedPlan:
        """Return the plan, and say in it what goes first."""
        circumstances, chain = self.circumstances, confirmed.chain
        is_live = circumstances.trades(opportunity)
        account = circumstances.account(Money.LIVE if is_live else Money.PAPER)
        schedule = circumstances.schedules.of(chain, at_ns)
        first, first_why = FirstPart(
            advice=circumstances.advice, come_through=account.come_through
        ).choose(
            confirmed.legs,
            chain,
            profit_usd=float(confirmed.profit_quote * usd_per_quote),
            blocks=1 if schedule is None else schedule.blocks,
        )
        deadline_ns = at_ns + self.plan_ttl_ns
        if schedule is not None and first is Part.TRANSACTION:
            deadline_ns = min(deadline_ns, schedule.send_by_ns)
        unproven = longest_unproven(circumstances.board, opportunity, at_ns)
        return MixedPlan(
            plan_id=f"{opportunity.opportunity_id}-p",
            opportunity=opportunity,
            decided_at_ns=at_ns,
            deadline_ns=deadline_ns,
            deadline_block=None if confirmed.block is None else confirmed.block + DEADLINE_BLOCKS,
            chain=chain,
            legs=confirmed.legs,
            before=confirmed.before,
            steps=confirmed.steps,
            first=first,
            first_why=first_why,
            gas=confirmed.gas,
            profit_quote=confirmed.profit_quote,
            transfer_quote=confirmed.transfer_quote,
            net_edge_bps=confirmed.net_edge_bps,
            notional_usd=confirmed.parts[0].given * usd_per_quote,
            usd_per_quote=usd_per_quote,
            unproven_ms=0 if unproven is None else unproven[0] // NS_PER_MS,
            sizing=sizing,
            # Behind orders it leaves when they have ended.
            schedule=schedule if schedule and first is Part.TRANSACTION else msgspec.UNSET,
            is_live=True if is_live else msgspec.UNSET,
        )
