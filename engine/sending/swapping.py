"""What is sent of a plan that has orders beside it: what allows a token, and behind it the swap.

Each has a nonce, and the swap one behind the other's: it is begun once the allowance is signed, so
that a refusal of that leaves nothing behind. Both are bid for at once, by what the plan may pay.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from engine.chains.gas.route_bytes import signed_call
from engine.domain.errors import BadValueError
from engine.domain.gas import with_margin
from engine.domain.handed import Handed
from engine.domain.plans import MixedPlan, Part
from engine.domain.routes_on_chain import ChainSwap
from engine.domain.told import Fate
from engine.domain.truths import Foreseen, TruthCause
from engine.domain.units import NATIVE_DECIMALS, NS_PER_MS
from engine.portfolio.costs import EXACT
from engine.sending.allowing_ids import allowing_id
from engine.sending.beginnings import Beginnings, Unsent, bound_beside, decided_at
from engine.sending.calls import HeadNow
from engine.sending.encoding import allow_calldata, swap_calldata
from engine.sending.facts import Draft, Life
from engine.sending.fees import Bid, NoBid, bytes_gas, bytes_wei, first_bid
from engine.sending.free_nonces import next_nonce
from engine.sending.routes import swap_of
from engine.sending.simulating import Simulated
from engine.sending.trust import Failure

TO_NOTHING: Final = frozenset({Fate.NEVER, Fate.CANCELLED, Fate.REVERTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapping:
    """Decides what of such a plan is to be begun next; see the module."""

    beginnings: Beginnings

    async def begin(self, handed: Handed, head: HeadNow) -> Life | Unsent:
        """Return what is to be reserved next, or why nothing of the plan is sent.

        Raises:
            TransientError: nodes do not say; it may be tried again.
        """
        at, plan = self.beginnings, handed.sized
        assert isinstance(plan, MixedPlan)
        if why := self._why_never(handed, plan):
            return why
        try:
            swap = swap_of(plan, handed.pools, at.terms.route, until_ns=handed.latest_ns)
        except BadValueError as error:
            why_not = at.failed(plan, Failure.ENCODING, str(error))
            return _unsent(why_not, TruthCause.ENCODING)
        data, allowance = swap_calldata(swap), _allowance(swap)
        first = swap.token_in, allowance
        simulated = await at.simulate(head, swap.contract, data, first=first)
        if why_not := self._contradiction(handed, plan, swap, simulated, head):
            return _unsent(why_not, TruthCause.REFUSED)
        bids = self._bids(plan, simulated, head, [allowance, data])
        if isinstance(bids, NoBid):
            return _unsent(at.failed(plan, Failure.FEE, bids.why), TruthCause.GAS)
        if why := self._why_never(handed, plan):  # looking took its time
            return why
        allowed = at.table.life_of(allowing_id(handed.client_order_id))
        count = await at.count(head)
        least = count if allowed is None else max(count, allowed.nonce + 1)
        chain_id, wallet = at.terms.route.chain_id, at.terms.wallet
        is_swap = allowed is not None
        return Life(
            client_order_id=(
                handed.client_order_id if is_swap else allowing_id(handed.client_order_id)
            ),
            chain_id=chain_id,
            wallet=wallet,
            nonce=next_nonce(least, at.table.used(chain_id, wallet, at_least=least)),
            to=swap.contract if is_swap else swap.token_in,
            data=data if is_swap else allowance,
            deadline_ts=swap.deadline_ts,
            draft=Draft(bid=bids[is_swap], is_cancel=False, at_block=head.number),
        )

    def _why_never(self, handed: Handed, plan: MixedPlan) -> Unsent | None:
        """Say why nothing more of a plan is begun; None if it may be."""
        at, now_ns = self.beginnings, self.beginnings.now_ns()
        if (late_ns := now_ns - handed.latest_ns) > 0:
            return _unsent(f"its time was over {late_ns // NS_PER_MS} ms ago", TruthCause.LATE)
        told = at.table.told.of(allowing_id(handed.client_order_id))
        if told is not None and told.news.fate in TO_NOTHING:
            why = told.news.why or str(told.news.fate)
            return _unsent(f"what allows it came to nothing: {why}", TruthCause.REFUSED)
        if why := at.trust.why_not(plan, now_ns):
            return _unsent(why, TruthCause.REFUSED)
        return None

    def _contradiction(
        self,
        handed: Handed,
        plan: MixedPlan,
        swap: ChainSwap,
        simulated: Simulated,
        head: HeadNow,
    ) -> str:
        """Say why a swap is not sent by its simulation; empty if that is as it has to be.

        What goes first gives what was planned, to the unit. What follows closes what is open: it
        gives the least, or is not sent.
        """
        at = self.beginnings
        if simulated.why:
            return at.failed(plan, Failure.STATE, simulated.why)
        last = plan.steps[-1]
        planned_raw = int(last.amount_out.scaleb(last.decimals_out, EXACT))
        detail = f"the contracts give {simulated.gain_raw} units, planned are {planned_raw}"
        if plan.first is Part.ORDERS:
            is_enough = simulated.gain_raw >= swap.amount_out_min_raw
            return "" if is_enough else at.failed(plan, Failure.STATE, detail)
        if simulated.gain_raw == planned_raw:
            return ""
        block = decided_at(handed.plan)
        if block is None or head.number > block:
            return at.failed(plan, Failure.STATE, f"as of block {head.number} {detail}")
        at.warn(at.trust.contradict(plan, detail))
        return detail

    def _bids(
        self, plan: MixedPlan, simulated: Simulated, head: HeadNow, calls: list[bytes]
    ) -> tuple[Bid, Bid] | NoBid:
        """Return the first bids of both, at one price, within all that the plan may pay."""
        terms = self.beginnings.terms
        fees = terms.fees(head)
        limits = [with_margin(gas) for gas in (simulated.first_gas_used, simulated.gas_used)]
        limits = [
            limit + bytes_gas(fees, legs)
            for limit, legs in zip(limits, (1, len(plan.steps)), strict=True)
        ]
        contract = bytes.fromhex(terms.route.contract[2:])
        bytes_cost = sum(
            bytes_wei(
                fees, signed_call(terms.route.chain_id, contract, data, limit), gas_limit=limit
            )
            for data, limit in zip(calls, limits, strict=True)
        )
        bid = first_bid(
            fees,
            terms.rule,
            gas_limit=sum(limits),
            bound_wei=bound_beside(plan, bytes_cost),
            place_wei=int(plan.gas.bid.scaleb(NATIVE_DECIMALS, EXACT) // 1),
        )
        if isinstance(bid, NoBid):
            return bid
        allowing, swapping = (msgspec.structs.replace(bid, gas_limit=one) for one in limits)
        return allowing, swapping


def _allowance(swap: ChainSwap) -> bytes:
    return allow_calldata(swap.contract, swap.amount_in_raw)


def _unsent(why: str, cause: TruthCause) -> Unsent:
    return Unsent(why, Foreseen(cause=cause))
