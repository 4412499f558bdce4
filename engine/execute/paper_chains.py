"""Chains as far as paper transactions reach them: each meets the pools as they are now.

What is seen now is the state before the block that comes next, in which a transaction lands.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from math import ceil

from engine.detect.graph.moved_pair import KnownPool
from engine.detect.sizing.exact import leg_of
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.gas import GasPrice
from engine.domain.orders import Receipt, Swap
from engine.domain.plans import AtomicPlan, OnChain
from engine.domain.units import NS_PER_MS
from engine.execute.chain_sight import ChainSight
from engine.portfolio.costs import EXACT, ceil_to_quote_step, gas_amounts
from engine.portfolio.taken_pools import TakenPools


class PaperChains:
    """All chains of a run."""

    def __init__(
        self, pools: Mapping[int, KnownPool], taken: TakenPools, sight: ChainSight
    ) -> None:
        self._pools = pools
        self._taken = taken
        self._sight = sight

    def take(self, plan: OnChain) -> None:
        """Count the pools of a plan as traded until they move."""
        self._taken.take(_rows(plan), plan.plan_id)

    def release(self, plan: OnChain) -> None:
        """Let others trade the pools of a plan whose transaction did nothing."""
        self._taken.release(plan.plan_id)

    def block_ns(self, plan: OnChain) -> int:
        """Return how long a transaction waits for its block."""
        return self._sight.block_ms_of(plan.chain) * NS_PER_MS

    def why_not_sent(self, plan: OnChain, at_ns: int) -> str:
        """Say why whoever sends would not send it; nothing if it would."""
        return self._sight.forks.why_not(plan, at_ns)

    def is_priced_out(self, plan: OnChain) -> bool:
        """Say whether gas costs more now than the plan pays, so that no block takes it."""
        price = self._sight.gas.told(plan.chain)
        return price is not None and price.gwei > plan.gas.price_gwei

    def is_last_block(self, plan: OnChain) -> bool:
        """Say whether it reverts in any block behind the next one."""
        block = self._next_block(plan)
        return block is not None and block == plan.deadline_block

    def land(self, plan: OnChain, at_ns: int) -> Receipt:
        """Carry a transaction out, or let it revert."""
        block = self._next_block(plan)
        try:
            if plan.deadline_block is not None and block is not None:
                _check_deadline(block, plan.deadline_block)
            swaps, why = self._swap(plan), ""
        except BadValueError as error:
            swaps, why = (), str(error)
        if swaps:
            self.take(plan)
        ratio = self._sight.forks.gas_ratio(plan, at_ns)
        gas, gas_quote = _gas_paid(plan, self._sight.gas.paid(plan.chain), ratio)
        return Receipt(
            why=why,
            swaps=swaps,
            flash_fee=plan.flash_fee if swaps else Decimal(0),
            gas_asset=plan.gas.asset,
            gas=gas,
            gas_quote=gas_quote,
            landed_at_ns=at_ns,
            block=block,
        )

    def _next_block(self, plan: OnChain) -> int | None:
        """Return the number of the block that comes next, None while blocks have no numbers.

        Of a chain whose blocks are not followed the newest that is known is that of the pools.
        """
        head = self._sight.head_of(plan.chain)
        if head is None:
            pools = [self._pools[step.row] for step in plan.steps if step.row in self._pools]
            head = max((pool.block for pool in pools if pool.block is not None), default=None)
        return None if head is None else head + 1

    def _swap(self, plan: OnChain) -> tuple[Swap, ...]:
        """Return what each swap gives now.

        Raises:
            BadValueError: the transaction reverts; the text says why.
        """
        taken = self._taken.find_taken(_rows(plan), plan.plan_id)
        if taken is not None:
            raise BadValueError(f"{self._pools[taken].pool} was traded by another transaction")
        swaps = []
        amount_in = plan.steps[0].amount_in
        for step in plan.steps:
            prepared = self._pools.get(step.row)
            if prepared is None:
                raise BadValueError(f"{step.address} at {step.venue} is gone")
            pool = prepared.pool
            leg = leg_of(
                prepared.state,
                token_in=pool.token_index(step.source),
                token_out=pool.token_index(step.target),
            )
            given_raw = leg.amount_out(int(amount_in.scaleb(step.decimals_in)))
            amount_out = Decimal(given_raw).scaleb(-step.decimals_out)
            if amount_out < step.amount_out_min:
                raise BadValueError(
                    f"{pool} gives {amount_out:f} {step.target}, least {step.amount_out_min:f}"
                )
            swaps.append(
                Swap(
                    venue=step.venue,
                    address=step.address,
                    source=step.source,
                    target=step.target,
                    amount_in=amount_in,
                    amount_out=amount_out,
                    frame_seq=step.frame_seq,
                )
            )
            amount_in = amount_out
        if isinstance(plan, AtomicPlan):
            gain = exact_sum((amount_in, -plan.steps[0].amount_in, -plan.flash_fee))
            if gain < plan.profit_min_quote:
                raise BadValueError(f"it gains {gain:f}, least {plan.profit_min_quote:f}")
        return tuple(swaps)


def _rows(plan: OnChain) -> Iterable[int]:
    return (step.row for step in plan.steps)


def _gas_paid(plan: OnChain, price: GasPrice | None, ratio: Decimal) -> tuple[Decimal, Decimal]:
    """Return what gas costs at a price, in the chain's own asset and as the plan counts.

    It takes `ratio` of the units that the plan reckons with.

    No transaction bounds what a rollup takes for its bytes: that may be more than the plan has.
    """
    bound = plan.gas
    if price is None:
        return bound.amount, bound.quote
    units = ceil(bound.units * ratio)
    amount, _ = gas_amounts(price, units, len(plan.steps))
    if amount == bound.amount:
        return bound.amount, bound.quote
    if bound.asset == plan.opportunity.quote:
        return amount, amount
    if not bound.amount:
        return amount, bound.quote
    share = ceil_to_quote_step(EXACT.divide(bound.quote * amount, bound.amount))
    return amount, share if amount > bound.amount else min(share, bound.quote)


def _check_deadline(block: int, deadline_block: int) -> None:
    if block > deadline_block:
        raise BadValueError(f"block {block} is past its deadline block {deadline_block}")
