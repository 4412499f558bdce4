"""Plans: approved, exactly sized opportunities, ready to execute; only `decide` makes one.

A plan is of one of three kinds, and each kind has its executor. The legs of a `LeggedPlan` are
orders that may fill without one another; an `AtomicPlan` is one transaction: all or nothing; a
`MixedPlan` is both, one after the other.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
from engine.domain.mixed_routes import custody_changes
from engine.domain.modes import Basis, Money, basis_of
from engine.domain.opportunities import Leg, Opportunity
from engine.domain.permits import Permit, digest_of_terms


class Sizing(msgspec.Struct, frozen=True, kw_only=True):
    """How a plan came to its size: exact profits on the way to its own.

    Attributes:
        untaken_quote: at the screened size in whole lots, had earlier trades taken nothing.
        whole_quote: at that size with what is left by them.
        limit: the sentence of the limit that then shrank it, empty if none did.
    """

    untaken_quote: Decimal
    whole_quote: Decimal
    limit: str = ""


class Closes(msgspec.Struct, frozen=True, kw_only=True):
    """A leftover that a plan trades back, as it was when that was decided.

    Attributes:
        held: negative if owed.
        carry: what it was filled for, in the asset that it was traded against, with its sign.
    """

    held: Decimal
    carry: Decimal


class LeggedPlan(msgspec.Struct, tag="legged", frozen=True, kw_only=True):
    """A plan whose legs are orders at books.

    Attributes:
        profit_quote: exact net profit if every leg fills as walked.
        transfer_quote: what moving the assets back costs, included in the profit.
        notional_usd: value of the buy leg in the reporting asset.
        deadline_ns: no leg may start after this instant (wall clock).
        unproven_ms: how long ago one of its books was last proven to be the venue's, at most; 0 if
            the feeds of all prove themselves.
        sizing: how it came to its size; plans of earlier versions do not say.
        permit: by whose word it is carried out, where a person has to allow it.
        advice: what of background work's bore on it, in words; not written where nothing did.
        is_live: its orders are signed and placed at their venues; not written on paper.
        closes: the leftover that its one order trades back, at a person's word; not written where
            it is a route. Its opportunity is then the round from what the leftover was filled for.
    """

    plan_id: str
    opportunity: Opportunity
    decided_at_ns: int
    deadline_ns: int
    legs: tuple[Leg, ...]
    profit_quote: Decimal
    transfer_quote: Decimal
    net_edge_bps: Decimal
    notional_usd: Decimal
    usd_per_quote: Decimal
    unproven_ms: int = 0
    sizing: Sizing | None = None
    permit: Permit | None = None
    advice: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    is_live: bool | msgspec.UnsetType = msgspec.UNSET
    closes: Closes | msgspec.UnsetType = msgspec.UNSET

    @property
    def parts(self) -> tuple[Leg, ...]:
        """Its route's parts: the legs."""
        return self.legs


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a transaction has to leave, as advice has it of the chain's blocks.

    Attributes:
        block: which one it is for; None while the chain's blocks have no numbers.
        blocks: how many of them come until then: 1 is the next one.
        send_by_ns: if it leaves later it is for a later block (wall clock).
    """

    block: int | None
    blocks: int
    send_by_ns: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One swap of a transaction: all of what the step before gave goes through a pool.

    Attributes:
        row: number of the pool in the run.
        amount_in, amount_out: exact, as decided on.
        amount_out_min: the transaction reverts if the swap gives less.
        decimals_in, decimals_out: of the two tokens.
        frame_seq: number of the input that last changed the pool.
    """

    venue: VenueId
    address: str
    row: int
    source: AssetCode
    target: AssetCode
    amount_in: Decimal
    amount_out: Decimal
    amount_out_min: Decimal
    decimals_in: int
    decimals_out: int
    frame_seq: int


class GasBound(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most that a transaction may pay for gas, whether or not it reverts.

    What is sent for real is bound by its gas limit at fees that have risen until its last block,
    and says apart what it is expected to pay. On paper both are one, and what is apart is not
    written, so that plans of earlier versions keep their digest.

    Attributes:
        units: gas that it is expected to use.
        price_gwei: of a unit, as expected.
        amount: in the chain's own asset.
        quote: the same in the asset that the route starts and ends in, at the decision.
        data_amount: the part of `amount` that a rollup takes for the bytes, beside gas.
        limit_units: gas limit that `amount` pays for; 0 on paper.
        expected: what it pays if all is as now, in the chain's own asset, the bid included;
            `expected_quote` the same in the route's asset.
        bid: the part of `amount` for a place in front, where tips decide the order.
    """

    asset: AssetCode
    units: int
    price_gwei: Decimal
    amount: Decimal
    quote: Decimal
    data_amount: Decimal = Decimal(0)
    limit_units: int = 0
    expected: Decimal = Decimal(0)
    expected_quote: Decimal = Decimal(0)
    bid: Decimal = Decimal(0)

    @property
    def is_apart(self) -> bool:
        """Whether what is expected is said apart from the most."""
        return self.limit_units > 0

    @property
    def usual_quote(self) -> Decimal:
        """What it is expected to pay, in the asset that the route starts and ends in."""
        return self.expected_quote if self.is_apart else self.quote


class AtomicPlan(msgspec.Struct, tag="atomic", frozen=True, kw_only=True):
    """A plan that is one transaction on one chain.

    Attributes:
        deadline_ns: it may not be sent after this instant (wall clock).
        deadline_block: it reverts in a later block; None while the chain's blocks have no numbers.
        has_flash_loan: whether what the first step gives is borrowed.
        flash_fee: of the loan, in the asset that is borrowed; 0 without one.
        profit_min_quote: it reverts if it gains less, before gas.
        profit_quote: exact net profit if every pool is as it was, gas and flash fee taken off.
        notional_usd: value of what the first step gives.
        permit: by whose word it is carried out, where a person has to allow it.
        advice: what of background work's bore on it, in words; not written where nothing did.
        schedule: when it has to leave; not written where nothing is advised of it.
        is_live: it is signed and sent; not written on paper.
        chance: that nobody takes it before us, as advised when it was decided; not written where
            nothing is advised of it.
    """

    plan_id: str
    opportunity: Opportunity
    decided_at_ns: int
    deadline_ns: int
    deadline_block: int | None
    chain: str
    steps: tuple[Step, ...]
    has_flash_loan: bool
    flash_fee: Decimal
    gas: GasBound
    profit_min_quote: Decimal
    profit_quote: Decimal
    net_edge_bps: Decimal
    notional_usd: Decimal
    usd_per_quote: Decimal
    sizing: Sizing | None = None
    permit: Permit | None = None
    advice: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    schedule: Schedule | msgspec.UnsetType = msgspec.UNSET
    is_live: bool | msgspec.UnsetType = msgspec.UNSET
    chance: float | msgspec.UnsetType = msgspec.UNSET

    @property
    def wallet(self) -> VenueId:
        """Where its money is: what we own on a chain stands under the chain's name."""
        return wallet_of(self.chain)

    @property
    def needs(self) -> list[tuple[Place, Decimal]]:
        """What it may draw on, whatever becomes of it."""
        gas = ((self.wallet, self.gas.asset), self.gas.amount)
        if self.has_flash_loan:
            return [gas]
        first = self.steps[0]
        return [gas, ((self.wallet, first.source), first.amount_in)]


class Part(StrEnum):
    """What of a mixed plan goes first; the other follows on what that came to."""

    TRANSACTION = "transaction"
    ORDERS = "orders"


class Swaps(msgspec.Struct, frozen=True, kw_only=True):
    """What the transaction of a mixed plan turns, as one part of its route beside the legs.

    Attributes:
        venue: the wallet that gives and receives.
        given, received: by its first and last swap; gas is apart.
    """

    venue: VenueId
    source: AssetCode
    target: AssetCode
    given: Decimal
    received: Decimal
    fee_given: Decimal = Decimal(0)
    fee_received: Decimal = Decimal(0)

    @classmethod
    def of(cls, chain: str, steps: Sequence[Step]) -> "Swaps":
        """Make it of the steps of a transaction."""
        first, last = steps[0], steps[-1]
        return cls(
            venue=wallet_of(chain),
            source=first.source,
            target=last.target,
            given=first.amount_in,
            received=last.amount_out,
        )


RoutePart = Leg | Swaps


class Meanwhile(msgspec.Struct, frozen=True, kw_only=True):
    """What one part of a mixed plan leaves until the other has come through.

    Attributes:
        is_held: whether it is held; if not it was given, and is to be bought again.
    """

    is_held: bool
    amount: Decimal
    asset: AssetCode
    at: VenueId


class MixedPlan(msgspec.Struct, tag="mixed", frozen=True, kw_only=True):
    """A plan of orders at books and of one transaction through pools that stand together.

    One goes first and the other follows, sized by what the first came to. All is paid from what
    the venues and the chain's wallet hold: nothing is borrowed, and nothing moves between them.

    Attributes:
        deadline_ns: what goes first may not start after this instant (wall clock); what follows has
            as long again once the first has ended.
        deadline_block: the transaction reverts in a later block; None while the chain's blocks
            have no numbers.
        legs: orders at books, in the order of the route.
        before: how many of them the route goes through before the transaction.
        first: what goes first, and ...
        first_why: ... for which reason, in words.
        profit_quote: exact net profit if every leg fills as walked and every pool is as it was.
        transfer_quote: what moving the assets back costs, included in the profit.
        notional_usd: value of what the first part of the route gives.
        unproven_ms, sizing, permit, advice: as of a `LeggedPlan`.
        schedule: as of an `AtomicPlan`.
        is_live: its orders are signed and placed, and its transaction is signed and sent; not
            written on paper.
    """

    plan_id: str
    opportunity: Opportunity
    decided_at_ns: int
    deadline_ns: int
    deadline_block: int | None
    chain: str
    legs: tuple[Leg, ...]
    before: int
    steps: tuple[Step, ...]
    first: Part
    first_why: str
    gas: GasBound
    profit_quote: Decimal
    transfer_quote: Decimal
    net_edge_bps: Decimal
    notional_usd: Decimal
    usd_per_quote: Decimal
    unproven_ms: int = 0
    sizing: Sizing | None = None
    permit: Permit | None = None
    advice: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    schedule: Schedule | msgspec.UnsetType = msgspec.UNSET
    is_live: bool | msgspec.UnsetType = msgspec.UNSET

    @property
    def wallet(self) -> VenueId:
        """Where the transaction's money is; see `wallet_of`."""
        return wallet_of(self.chain)

    @property
    def flash_fee(self) -> Decimal:
        """Nothing is borrowed."""
        return Decimal(0)

    @property
    def swaps(self) -> Swaps:
        """What the transaction turns."""
        return Swaps.of(self.chain, self.steps)

    @property
    def parts(self) -> tuple[RoutePart, ...]:
        """All of the route in its order, the transaction as one part."""
        return (*self.legs[: self.before], self.swaps, *self.legs[self.before :])

    @property
    def custody_changes(self) -> int:
        """How often the route goes from a venue to another or to the wallet."""
        return custody_changes(self.opportunity.hops)

    @property
    def sends_first(self) -> int:
        """How many orders or transactions go first."""
        return 1 if self.first is Part.TRANSACTION else len(self.legs)

    @property
    def meanwhile(self) -> "list[Meanwhile]":
        """What the first part leaves us with until the other has followed on it."""
        swaps, quote = self.swaps, self.opportunity.quote
        found = []
        if self.before:
            has_first = self.first is Part.ORDERS
            bought = self.legs[self.before - 1]
            amount = bought.received if has_first else swaps.given
            place = bought.venue if has_first else swaps.venue
            found.append(Meanwhile(is_held=has_first, amount=amount, asset=swaps.source, at=place))
        if swaps.target != quote:
            has_landed = self.first is Part.TRANSACTION
            sold = self.legs[self.before]
            amount = swaps.received if has_landed else sold.given
            place = swaps.venue if has_landed else sold.venue
            found.append(Meanwhile(is_held=has_landed, amount=amount, asset=swaps.target, at=place))
        return found

    def hop_of(self, leg: int) -> int:
        """Return which leg of the opportunity an order is."""
        return leg if leg < self.before else leg + len(self.steps)

    def with_input(self, amount: Decimal) -> "MixedPlan":
        """Return it with a transaction that takes less, each of its amounts in proportion.

        A pool gives more for a unit of less, so that a least amount in proportion is had.
        """
        given_raw, whole_raw = (
            int(one.scaleb(self.steps[0].decimals_in)) for one in (amount, self.steps[0].amount_in)
        )

        def share(of: Decimal, decimals: int) -> Decimal:
            return Decimal(int(of.scaleb(decimals)) * given_raw // whole_raw).scaleb(-decimals)

        steps = tuple(
            msgspec.structs.replace(
                step,
                amount_in=share(step.amount_in, step.decimals_in),
                amount_out=share(step.amount_out, step.decimals_out),
                amount_out_min=share(step.amount_out_min, step.decimals_out),
            )
            for step in self.steps
        )
        return msgspec.structs.replace(self, steps=steps)


OnChain = AtomicPlan | MixedPlan
"""Plans of which a transaction is a part, or all."""

Plan = LeggedPlan | AtomicPlan | MixedPlan


def sends_of(plan: Plan) -> int:
    """Return how many orders and transactions a plan sends, what unwinds apart."""
    if isinstance(plan, AtomicPlan):
        return 1
    return len(plan.legs) + isinstance(plan, MixedPlan)


def is_live(plan: Plan) -> bool:
    """Say whether a plan is carried out for real: signed and sent, or placed."""
    return plan.is_live is True


_CLOSING: Final = re.compile(r".*-flat\d+")


def closing_id(run_id: str, number: int) -> str:
    """Return the id of the opportunity, so to say, of a plan that closes a leftover."""
    return f"{run_id}-flat{number}"


def is_closing(opportunity_id: str) -> bool:
    """Say whether that is of a plan that closes a leftover: it is no bet on any route."""
    return _CLOSING.fullmatch(opportunity_id) is not None


def closes_of(plan: Plan) -> Closes | None:
    """Return the leftover that a plan trades back, None for a route."""
    closes = plan.closes if isinstance(plan, LeggedPlan) else None
    return closes if isinstance(closes, Closes) else None


def money_of(plan: Plan) -> Money:
    """Return in which books a plan belongs."""
    return Money.LIVE if is_live(plan) else Money.PAPER


def basis_of_plan(plan: Plan, basis: Basis) -> Basis:
    """Return what the figures of a plan are, in a run of some basis."""
    return basis_of(basis, money_of(plan))


_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")


def worth_usd(plan: Plan) -> Decimal:
    """Return what a plan is expected to give, in USD."""
    return plan.profit_quote * plan.usd_per_quote


def digest_of_plan(plan: Plan) -> str:
    """Return the digest of a plan's canonical form: all of it but its permit.

    That is its JSON with the fields in their order and every amount as decimal text.
    """
    bare = plan if plan.permit is None else msgspec.structs.replace(plan, permit=None)
    return digest_of_terms(_CANONICAL.encode(bare))


def wallet_of(chain: str) -> VenueId:
    """Return the place that holds what we own on a chain."""
    return VenueId(chain)


def recovery_of(chain: str) -> VenueId:
    """Return the place that gets what our contract gains on a chain: its recovery address."""
    return VenueId(f"{chain}-recovery")


def decode_plan(stored: str) -> Plan:
    """Decode a plan as it was stored; those of earlier versions were all of legs, and do not say.

    Raises:
        msgspec.DecodeError: another version stored it, which this one does not understand.
    """
    try:
        plan: Plan = msgspec.json.decode(stored, type=Plan)
    except msgspec.ValidationError:
        return msgspec.json.decode(stored, type=LeggedPlan)
    return plan
