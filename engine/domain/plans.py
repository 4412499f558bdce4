"""Plans: approved, exactly sized opportunities, ready to execute; only `decide` makes one.

A plan is of one of two kinds, and each kind has its executor. The legs of a `LeggedPlan` are
orders that may fill without one another; an `AtomicPlan` is one transaction: all or nothing.
"""

from decimal import Decimal

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
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

    Attributes:
        amount: in the chain's own asset.
        quote: the same in the asset that the route starts and ends in, at the decision.
        data_amount: the part of `amount` that a rollup takes for the bytes. Where it takes none it
            is not written, so that plans of earlier versions keep their digest.
    """

    asset: AssetCode
    units: int
    price_gwei: Decimal
    amount: Decimal
    quote: Decimal
    data_amount: Decimal = Decimal(0)


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


Plan = LeggedPlan | AtomicPlan


def is_live(plan: Plan) -> bool:
    """Say whether a plan is carried out for real: signed and sent."""
    return isinstance(plan, AtomicPlan) and plan.is_live is True


def worth_usd(plan: Plan) -> Decimal:
    """Return what a plan is expected to give, in USD."""
    return plan.profit_quote * plan.usd_per_quote


def digest_of_plan(plan: Plan) -> str:
    """Return the digest of a plan's canonical form: all of it but its permit.

    That is its JSON with the fields in their order and every amount as decimal text.
    """
    bare = msgspec.structs.replace(plan, permit=None)
    return digest_of_terms(msgspec.json.encode(bare, order="deterministic"))


def wallet_of(chain: str) -> VenueId:
    """Return the place that holds what we own on a chain."""
    return VenueId(chain)


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
