"""How a plan gets its nonce: route, simulation, bid, and the first nonce that nobody has used.

Whatever says no here has signed nothing and sent nothing: the plan ends unsent, with the cause.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from engine.chains.gas.base_fee import next_base_fee_wei
from engine.chains.gas.data_fee import L1Terms
from engine.chains.gas.reader import GasSeen
from engine.chains.gas.route_bytes import signed_call
from engine.chains.gas.rules import GasRule
from engine.domain.chains import DEADLINE_BLOCKS, GasModel
from engine.domain.errors import BadValueError
from engine.domain.gas import with_margin
from engine.domain.handed import Handed
from engine.domain.plans import AtomicPlan, OnChain
from engine.domain.routes_on_chain import ChainRoute
from engine.domain.signing import Purpose, SigningIntent, UnsignedTransaction
from engine.domain.told import Asked
from engine.domain.truths import Foreseen, TruthCause
from engine.domain.units import NATIVE_DECIMALS, NS_PER_MS, NS_PER_S
from engine.portfolio.costs import EXACT
from engine.sending.calls import HeadNow
from engine.sending.encoding import PAUSE, UNPAUSE, calldata
from engine.sending.facts import Draft, Life
from engine.sending.fees import (
    CANCEL_GAS,
    Bid,
    FeeTerms,
    NoBid,
    bytes_gas,
    bytes_wei,
    first_bid,
)
from engine.sending.free_nonces import hole, next_nonce
from engine.sending.nonces import NonceTable
from engine.sending.policies import SendPolicy
from engine.sending.routes import RouteTerms, gain_expected_raw, gains_expected_raw, route_of
from engine.sending.simulated_ahead import SimulatedAhead
from engine.sending.simulating import Simulated
from engine.sending.trust import Failure, RouteTrust
from engine.sending.view import ChainView
from engine.sending.warming import Simulate

HOLE: Final = "hole"
"""How what fills a nonce is called."""

REVOKING: Final = "revoke"
PAUSE_GAS: Final = 100_000
PAUSE_S: Final = 600
"""So long it is tried to be in a block before a person has to ask again."""

UNPAUSE_NS: Final = 600 * NS_PER_S
"""What lets the contract run again is begun so soon after it was asked for, or never."""


@dataclass(frozen=True, slots=True)
class Protection:
    """A call that only takes risk away: how it is called, of whom it is asked, and what."""

    name: str
    to: str
    data: bytes


_LATE: Final = Foreseen(cause=TruthCause.LATE)


@dataclass(frozen=True, slots=True)
class Unsent:
    """A plan is not sent: why in words, and what was foreseen of it."""

    why: str
    foreseen: Foreseen


@dataclass(slots=True, kw_only=True)
class DeskTerms:
    """What a chain's transactions are sent by.

    Attributes:
        chain: its name.
        wallet: address that signs, in lower case.
        may_begin_anew: it is a local chain, whose state may be thrown away.
        tip_wei: what newest blocks were tipped.
        l1, gas_of_bytes: what bytes cost on a rollup; see `FeeTerms`.
    """

    chain: str
    wallet: str
    route: RouteTerms
    policy: SendPolicy
    rule: GasRule
    may_begin_anew: bool = False
    tip_wei: int = 10**6
    """A thousandth of a gwei: what a node of this machine takes."""
    l1: L1Terms | None = None
    gas_of_bytes: tuple[int, int] | None = None

    def fees(self, head: HeadNow) -> FeeTerms:
        """Return what gas costs in the block after a head."""
        base_fee_wei = next_base_fee_wei(head.fees, self.rule.base_fee)
        return FeeTerms(
            base_fee_wei=base_fee_wei,
            tip_wei=self.tip_wei,
            head_base_fee_wei=head.fees.base_fee_wei,
            l1=self.l1,
            gas_of_bytes=self.gas_of_bytes,
        )

    def learn(self, seen: GasSeen, model: GasModel) -> None:
        """Take over what newest blocks were tipped, and what bytes cost now."""
        self.tip_wei, self.l1 = seen.tip_wei, seen.l1
        if model is GasModel.ARBITRUM:
            self.gas_of_bytes = (seen.price.data_fixed_raw, seen.price.data_leg_raw)


def _nobody(_intent: SigningIntent) -> None:
    """Tell nobody."""


@dataclass(slots=True, kw_only=True)
class Beginnings:
    """Decides whether a plan is sent, and with which nonce and bid.

    Attributes:
        warn: tells a person.
        now_ns: the wall clock.
        rehearse: is given an intent like the one that the signer will be asked for.
        counted: how many nonces of the wallet were used as of a block, by its hash.
    """

    terms: DeskTerms
    table: NonceTable
    view: ChainView
    simulate: Simulate
    trust: RouteTrust
    warn: Callable[[str], None]
    now_ns: Callable[[], int]
    rehearse: Callable[[SigningIntent], None] = _nobody
    counted: tuple[str, int] = ("", 0)
    _ahead: SimulatedAhead = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = SimulatedAhead(self._carry)

    def prepare(self, handed: Handed, head: HeadNow) -> None:
        """Carry out ahead, as of a block, what may be handed over in a moment.

        Nothing of it is kept or counted: whatever is wrong `begin` says, too.
        """
        plan = handed.plan
        if not isinstance(plan, AtomicPlan) or self.trust.why_not(plan, self.now_ns()):
            return
        try:
            route = route_of(plan, handed.pools, self.terms.route)
        except BadValueError:
            return
        data = calldata(route)
        self.rehearse(_likely_intent(handed, data, self.terms.route))
        self._ahead.begin(head, route.contract, data)

    async def _carry(self, head: HeadNow, contract: str, data: bytes) -> Simulated:
        return await self.simulate(head, contract, data)

    async def begin(self, handed: Handed, head: HeadNow) -> Life | Unsent:
        """Return what is to be reserved for a plan, or why it is not sent.

        Raises:
            TransientError: nodes do not say; it may be tried again.
        """
        plan = handed.plan
        assert isinstance(plan, AtomicPlan)
        route = self._route(plan, handed)
        if isinstance(route, Unsent):
            return route
        data = calldata(route)
        if not self._ahead.has_begun(head, route.contract, data):
            self.rehearse(_likely_intent(handed, data, self.terms.route))
        simulated = await self._ahead.take(head, route.contract, data)
        is_as_planned = not simulated.why and simulated.gain_raw in gains_expected_raw(plan, route)
        if not is_as_planned and decided_at(plan) in {None, head.number}:
            # What was read ahead may be at fault, so that counts for nothing now.
            simulated = await self.simulate(head, route.contract, data, is_fresh=True)
        foreseen = self._foreseen(plan, route, simulated, head)
        if why := self._contradiction(plan, route, simulated, head):
            return Unsent(why, foreseen)
        bid = bid_of(plan, data, simulated.gas_used, head, self.terms)
        if isinstance(bid, NoBid):
            why = self.failed(plan, Failure.FEE, bid.why)
            return Unsent(why, replace(foreseen, cause=TruthCause.GAS))
        foreseen = self._priced(foreseen, bid, data, head)
        count = await self.count(head)
        if why := self._why_late(plan):
            return Unsent(why, replace(foreseen, cause=TruthCause.LATE))
        chain_id, wallet = self.terms.route.chain_id, self.terms.wallet
        return Life(
            client_order_id=handed.client_order_id,
            chain_id=chain_id,
            wallet=wallet,
            nonce=next_nonce(count, self.table.used(chain_id, wallet, at_least=count)),
            to=route.contract,
            data=data,
            deadline_ts=route.deadline_ts,
            draft=Draft(bid=bid, is_cancel=False, at_block=head.number),
            foreseen=foreseen,
        )

    async def fill_hole(self, head: HeadNow) -> Life | None:
        """Return what uses up a nonce that nobody uses and for which ours wait, if there is one."""
        count = await self.count(head)
        chain_id, wallet = self.terms.route.chain_id, self.terms.wallet
        nonce = hole(count, self.table.used(chain_id, wallet, at_least=count))
        if nonce is None:
            return None
        most_wei = self.terms.policy.cancel_wei_max
        bid = first_bid(
            self.terms.fees(head), self.terms.rule, gas_limit=CANCEL_GAS, bound_wei=most_wei
        )
        if isinstance(bid, NoBid):
            self.warn(f"nonce {nonce} is missing, and filling it is too dear: {bid.why}")
            return None
        self.warn(f"nonce {nonce} was left unused, and others wait for it: it is filled")
        return Life(
            client_order_id=f"{HOLE}-{chain_id}-{nonce}-{head.number}-{head.hash[2:10]}",
            chain_id=chain_id,
            wallet=wallet,
            nonce=nonce,
            deadline_ts=0,
            draft=Draft(bid=bid, is_cancel=True, at_block=head.number),
        )

    async def asked(self, asked: Asked, head: HeadNow) -> Life | str:
        """Return what pauses our contract or lets it run again, or why that is not sent now."""
        bound_wei = self.terms.policy.cancel_wei_max * PAUSE_GAS // CANCEL_GAS
        bid = first_bid(
            self.terms.fees(head), self.terms.rule, gas_limit=PAUSE_GAS, bound_wei=bound_wei
        )
        if isinstance(bid, NoBid):
            what = "pausing" if asked.is_pause else "unpausing"
            return f"{what} the contract on {self.terms.chain} is too dear: {bid.why}"
        chain_id, wallet = self.terms.route.chain_id, self.terms.wallet
        count = await self.count(head)
        return Life(
            client_order_id=asked.client_order_id,
            chain_id=chain_id,
            wallet=wallet,
            nonce=next_nonce(count, self.table.used(chain_id, wallet, at_least=count)),
            to=self.terms.route.contract,
            data=PAUSE if asked.is_pause else UNPAUSE,
            deadline_ts=head.ts + PAUSE_S,
            draft=Draft(bid=bid, is_cancel=False, at_block=head.number),
        )

    async def protect(self, what: Protection, head: HeadNow) -> Life | str:
        """Return what makes a call that takes risk away, or why that is not sent."""
        bound_wei = self.terms.policy.cancel_wei_max * PAUSE_GAS // CANCEL_GAS
        bid = first_bid(
            self.terms.fees(head), self.terms.rule, gas_limit=PAUSE_GAS, bound_wei=bound_wei
        )
        if isinstance(bid, NoBid):
            return f"a {what.name} is too dear: {bid.why}"
        chain_id, wallet = self.terms.route.chain_id, self.terms.wallet
        count = await self.count(head)
        nonce = next_nonce(count, self.table.used(chain_id, wallet, at_least=count))
        return Life(
            client_order_id=f"{what.name}-{chain_id}-{head.number}-{nonce}",
            chain_id=chain_id,
            wallet=wallet,
            nonce=nonce,
            to=what.to,
            data=what.data,
            deadline_ts=head.ts + PAUSE_S,
            draft=Draft(bid=bid, is_cancel=False, at_block=head.number),
        )

    async def count(self, head: HeadNow) -> int:
        """Return how many nonces the chain has used, which no block changes once it is made."""
        block, count = self.counted
        return count if block == head.hash else await self.view.count(head.number)

    def _why_late(self, plan: OnChain) -> str:
        late_ns = self.now_ns() - plan.deadline_ns
        return f"its time was over {late_ns // NS_PER_MS} ms ago" if late_ns > 0 else ""

    def is_early(self, plan: OnChain, head: HeadNow) -> bool:
        """Say whether a plan is of a block that nodes do not show yet."""
        block = decided_at(plan)
        return block is not None and block > head.number and not self._why_late(plan)

    def _contradiction(
        self, plan: AtomicPlan, route: ChainRoute, simulated: Simulated, head: HeadNow
    ) -> str:
        """Say why a plan is not sent by its simulation; empty if that is as planned."""
        if simulated.why:
            return self.failed(plan, Failure.STATE, simulated.why)
        expected_raw = gains_expected_raw(plan, route)
        if simulated.gain_raw in expected_raw:
            return ""
        detail = f"the contracts give {simulated.gain_raw} units, planned are {expected_raw[0]}"
        if (block := decided_at(plan)) is not None and head.number > block:
            moved = f"as of block {head.number} {detail} as of {block}"
            return self.failed(plan, Failure.STATE, moved)
        self.warn(self.trust.contradict(plan, detail))
        return detail

    def _route(self, plan: AtomicPlan, handed: Handed) -> ChainRoute | Unsent:
        """Return what a plan does, or why it is not even simulated."""
        if why := self._why_late(plan):
            return Unsent(why, _LATE)
        if why := self.trust.why_not(plan, self.now_ns()):
            return Unsent(why, Foreseen(cause=TruthCause.REFUSED))
        try:
            return route_of(plan, handed.pools, self.terms.route)
        except BadValueError as error:
            why = self.failed(plan, Failure.ENCODING, str(error))
            return Unsent(why, Foreseen(cause=TruthCause.ENCODING))

    def _foreseen(
        self, plan: AtomicPlan, route: ChainRoute, simulated: Simulated, head: HeadNow
    ) -> Foreseen:
        """Return what the simulation said, to be kept with what becomes of the plan."""
        return Foreseen(
            block=head.number,
            gain_raw=simulated.gain_raw,
            builder_raw=simulated.tip_raw,
            gas_used=simulated.gas_used,
            gas_price_wei=self.terms.fees(head).base_fee_wei + self.terms.tip_wei,
            expected_raw=gain_expected_raw(plan, route),
            is_simulated=not simulated.why,
        )

    def _priced(self, foreseen: Foreseen, bid: Bid, data: bytes, head: HeadNow) -> Foreseen:
        """Return what was foreseen at the price that is bid."""
        fees, route = self.terms.fees(head), self.terms.route
        contract = bytes.fromhex(route.contract[2:])
        like = signed_call(route.chain_id, contract, data, bid.gas_limit)
        return replace(
            foreseen,
            gas_price_wei=min(bid.fee_wei, fees.base_fee_wei + bid.tip_wei),
            bytes_wei=bytes_wei(fees, like, gas_limit=bid.gas_limit),
        )

    def failed(self, plan: OnChain, failure: Failure, why: str) -> str:
        """Count a failure of a route; return why it failed."""
        self.warn(self.trust.fail(plan, failure, self.now_ns()))
        return why


def _likely_intent(handed: Handed, data: bytes, terms: RouteTerms) -> SigningIntent:
    """Return about what will be signed: nonce and bid are not known yet."""
    return SigningIntent(
        purpose=Purpose.ROUTE,
        transaction=UnsignedTransaction(
            chain_id=terms.chain_id,
            nonce=0,
            to=terms.contract,
            value_wei=0,
            gas_limit=handed.plan.gas.units,
            max_fee_per_gas_wei=1,
            max_priority_fee_per_gas_wei=1,
            data=data,
        ),
        engine=handed.engine,
        plan=handed.plan,
    )


def decided_at(plan: OnChain) -> int | None:
    """Return as of which block a plan was decided, None where that is not said."""
    return None if plan.deadline_block is None else plan.deadline_block - DEADLINE_BLOCKS


def bid_of(
    plan: AtomicPlan, data: bytes, gas_used: int, head: HeadNow, terms: DeskTerms
) -> Bid | NoBid:
    """Return the first bid of a plan, within all that it may pay: gas, its place, and its bytes.

    Args:
        plan: that is to be sent.
        data: the call that carries it out.
        gas_used: by its simulation, in units.
        head: the newest block.
        terms: of the chain.
    """
    fees, route = terms.fees(head), terms.route
    gas_limit = with_margin(gas_used) + bytes_gas(fees, len(plan.steps))
    like = signed_call(route.chain_id, bytes.fromhex(route.contract[2:]), data, gas_limit)
    return first_bid(
        fees,
        terms.rule,
        gas_limit=gas_limit,
        bound_wei=bound_beside(plan, bytes_wei(fees, like, gas_limit=gas_limit)),
        place_wei=_wei(plan.gas.bid),
    )


def bound_beside(plan: OnChain, bytes_wei: int) -> int:
    """Return the most that a plan may pay for its gas, once its bytes have taken so much."""
    return _wei(plan.gas.amount) - max(_wei(plan.gas.data_amount), bytes_wei)


def _wei(amount: Decimal) -> int:
    return int(amount.scaleb(NATIVE_DECIMALS, EXACT) // 1)
