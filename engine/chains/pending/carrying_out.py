"""A transaction carried out in thought: who holds what because of it, and the pools after it."""

from collections import defaultdict
from itertools import pairwise

from engine.chains.pending.intents import (
    NATIVE,
    Group,
    Pay,
    Payer,
    Pull,
    Quoting,
    Settle,
    Step,
    Swap,
    Take,
    Unwrap,
    Wrap,
)
from engine.chains.pending.predictions import Effect, Pools
from engine.chains.pending.routes import Leg, bought, quoted_ahead, sold_through, steps_in
from engine.chains.pending.trading import RevertsError, Traded, UnpredictedError
from engine.domain.pools import Pool
from engine.domain.units import BPS_PER_UNIT
from engine.pools.snapshot_rows import PoolState

MANAGER = ""
"""V4's manager as a holder: what it owes is positive, what it is owed is negative."""


class Run:
    """The account of one transaction.

    Attributes:
        router: its address.
        effects: its swaps so far.
    """

    def __init__(self, *, pools: Pools, router: str, weth: str) -> None:
        self.router = router
        self.effects: list[Effect] = []
        self._pools, self._weth = pools, weth
        self._after: dict[str, PoolState] = {}
        self._held: defaultdict[tuple[str, str], int] = defaultdict(int)

    def all(self, steps: tuple[Step, ...]) -> None:
        """Carry out steps.

        Raises:
            RevertsError: one would fail, and with it the transaction.
            UnpredictedError: what one does does not follow from what is known.
        """
        for step in steps:
            self._step(step)

    def give(self, holder: str, token: str, amount_raw: int) -> None:
        """Let somebody hold more of a token."""
        self._held[holder, token] += amount_raw

    def pool(self, address: str) -> tuple[Pool, PoolState]:
        """Return a pool as it is by now.

        Raises:
            UnpredictedError: it is not followed.
        """
        found = self._pools.find(address)
        if found is None:
            raise UnpredictedError(f"pool {address} is not followed")
        pool, state = found
        return pool, self._after.get(address, state)

    def _step(self, step: Step) -> None:
        match step:
            case Swap():
                self._swap(step)
            case Group():
                self._group(step)
            case Settle():
                self._settle(step)
            case Take():
                self._take(step)
            case Pay():
                self._pay(step)
            case Pull():
                self.give(step.recipient, step.token, step.amount_raw)
            case Wrap():
                self._wrap(step)
            case Unwrap():
                self._unwrap(step)

    def _group(self, group: Group) -> None:
        held, after, count = self._held.copy(), self._after.copy(), len(self.effects)
        try:
            self.all(group.steps)
            if group.is_unlock:
                self._check_settled()
        except RevertsError:
            if not group.may_fail:
                raise
            self._held, self._after = held, after
            del self.effects[count:]

    def _check_settled(self) -> None:
        for (holder, token), amount_raw in self._held.items():
            if holder == MANAGER and amount_raw != 0:
                raise RevertsError(f"{amount_raw} of {token} is not settled with V4's manager")

    def _swap(self, swap: Swap) -> None:
        if swap.has_hop_limits:
            raise UnpredictedError("each pool's price is bounded")
        legs = [Leg.of(hop, *self.pool(hop.pool)) for hop in swap.hops]
        amount_raw = self._amount(swap, legs)
        paid_raw, got_raw = self._traded(swap, legs, amount_raw)
        if swap.is_exact_in and got_raw < swap.limit_raw:
            raise RevertsError(f"{got_raw} come out, {swap.limit_raw} are the least")
        if not swap.is_exact_in and paid_raw > swap.limit_raw:
            raise RevertsError(f"{paid_raw} are asked for, {swap.limit_raw} are the most")
        if swap.payer is Payer.MANAGER:
            return  # settled pool by pool
        if swap.payer is Payer.ROUTER:
            self._spend(self.router, legs[0].sold, paid_raw)
        self.give(swap.recipient, legs[-1].bought, got_raw)

    def _amount(self, swap: Swap, legs: list[Leg]) -> int:
        if swap.amount_raw is not None:
            return swap.amount_raw
        if not swap.is_exact_in:
            return -self._held[MANAGER, legs[-1].bought]
        match swap.payer:
            case Payer.MANAGER:
                return self._held[MANAGER, legs[0].sold]
            case Payer.ROUTER:
                return self._held[self.router, legs[0].sold]
        return 0  # the first pool was paid ahead

    def _traded(self, swap: Swap, legs: list[Leg], amount_raw: int) -> tuple[int, int]:
        """Trade in each pool; return what the route took and what it gave."""
        for leg, following in pairwise(legs):
            if leg.is_pair and leg.hop.pool == following.hop.pool:
                raise RevertsError("a pair would be paid by itself, which is nothing")
        first = legs[0]
        ahead_raw = self._held.pop((first.hop.pool, first.sold), 0)
        is_bought = not swap.is_exact_in
        if all(leg.is_pair for leg in legs) and (is_bought or swap.quoting is Quoting.AHEAD):
            amounts = quoted_ahead(legs, amount_raw, is_exact_in=swap.is_exact_in)
            if swap.quoting is Quoting.AHEAD:
                if ahead_raw:
                    raise UnpredictedError("a pair was paid besides")
                for leg, traded in steps_in(legs, amounts, self.pool):
                    self._book(leg, traded, swap)
                return amounts[0], amounts[-1]
            amount_raw, is_bought = amounts[0], False
        if is_bought:
            return self._bought(swap, legs, amount_raw)
        paid_raw, given_raw = amount_raw, amount_raw + ahead_raw
        for index, leg in enumerate(legs):
            traded = sold_through(leg, self.pool, given_raw, swap.sqrt_price_limit_x96)
            self._book(leg, traded, swap)
            given_raw = traded.amount_out_raw
            if index == 0 and not ahead_raw:
                paid_raw = traded.amount_in_raw
        return paid_raw, given_raw

    def _bought(self, swap: Swap, legs: list[Leg], amount_raw: int) -> tuple[int, int]:
        """Buy from the last pool what each one before it has to give."""
        if swap.payer is not Payer.MANAGER and len({leg.hop.pool for leg in legs}) < len(legs):
            raise RevertsError("a pool is locked while it swaps")
        needed_raw, got_raw = amount_raw, 0
        for leg in reversed(legs):
            traded = bought(leg, self.pool, needed_raw, swap.sqrt_price_limit_x96)
            is_short = traded.amount_out_raw < needed_raw and not swap.sqrt_price_limit_x96
            if is_short and swap.payer is not Payer.MANAGER:
                raise RevertsError(f"{traded.amount_out_raw} of {needed_raw} can be bought")
            self._book(leg, traded, swap)
            got_raw = got_raw or traded.amount_out_raw
            needed_raw = traded.amount_in_raw
        return needed_raw, got_raw

    def _book(self, leg: Leg, traded: Traded, swap: Swap) -> None:
        pool, before = self.pool(leg.hop.pool)
        effect = Effect(
            pool=pool,
            token_in=leg.hop.token_in,
            amount_in_raw=traded.amount_in_raw,
            amount_out_raw=traded.amount_out_raw,
            before=before,
            after=traded.after,
        )
        self.effects.append(effect)
        self._after[leg.hop.pool] = traded.after
        if swap.payer is Payer.MANAGER:
            self.give(MANAGER, leg.sold, -traded.amount_in_raw)
            self.give(MANAGER, leg.bought, traded.amount_out_raw)

    def _settle(self, settle: Settle) -> None:
        owed_raw = -self._held[MANAGER, settle.token]
        amount_raw = settle.amount_raw
        if settle.is_all_held:
            amount_raw = self._held[self.router, settle.token]
        elif amount_raw is None:
            if owed_raw < 0:
                raise RevertsError(f"V4's manager is owed no {settle.token}")
            amount_raw = owed_raw
        if settle.most_raw is not None and amount_raw > settle.most_raw:
            raise RevertsError(f"{amount_raw} are owed, {settle.most_raw} are the most")
        if not settle.is_sender:
            self._spend(self.router, settle.token, amount_raw)
        self.give(MANAGER, settle.token, amount_raw)

    def _take(self, take: Take) -> None:
        owed_raw = self._held[MANAGER, take.token]
        amount_raw = take.amount_raw
        if amount_raw is None:
            if owed_raw < 0:
                raise RevertsError(f"V4's manager owes no {take.token}")
            amount_raw = owed_raw
        if amount_raw < take.least_raw:
            raise RevertsError(f"{amount_raw} come out, {take.least_raw} are the least")
        if take.share_bps is not None:
            amount_raw = _share(amount_raw, take.share_bps)
        self.give(MANAGER, take.token, -amount_raw)
        self.give(take.recipient, take.token, amount_raw)

    def _pay(self, pay: Pay) -> None:
        held_raw = self._held[self.router, pay.token]
        if held_raw < pay.least_raw:
            raise RevertsError(f"the router holds {held_raw}, {pay.least_raw} are the least")
        amount_raw = held_raw if pay.amount_raw is None else pay.amount_raw
        if pay.share_bps is not None:
            amount_raw = _share(held_raw, pay.share_bps)
        self._spend(self.router, pay.token, amount_raw)
        self.give(pay.recipient, pay.token, amount_raw)

    def _wrap(self, wrap: Wrap) -> None:
        held_raw = self._held[self.router, NATIVE]
        amount_raw = held_raw if wrap.amount_raw is None else wrap.amount_raw
        self._spend(self.router, NATIVE, amount_raw)
        self.give(wrap.recipient, self._weth, amount_raw)

    def _unwrap(self, unwrap: Unwrap) -> None:
        held_raw = self._held[self.router, self._weth]
        if held_raw < unwrap.least_raw:
            raise RevertsError(f"the router holds {held_raw}, {unwrap.least_raw} are the least")
        self._spend(self.router, self._weth, held_raw)
        self.give(unwrap.recipient, NATIVE, held_raw)

    def _spend(self, holder: str, token: str, amount_raw: int) -> None:
        if amount_raw > self._held[holder, token]:
            raise UnpredictedError(f"the router pays {token} that it was not seen to get")
        self._held[holder, token] -= amount_raw


def _share(amount_raw: int, share_bps: int) -> int:
    if share_bps > BPS_PER_UNIT:
        raise RevertsError(f"a share of {share_bps} bps")
    return amount_raw * share_bps // BPS_PER_UNIT
