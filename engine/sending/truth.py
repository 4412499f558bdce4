"""From a plan, its simulation and what the chain shows to its truth: every difference has a cause.

Pure. What is not known for sure is called unknown, and never put down to anything else.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

import msgspec

from engine.domain.exact import exact_sum
from engine.domain.plans import AtomicPlan
from engine.domain.routes_on_chain import BPS
from engine.domain.told import Fate, TransactionNews
from engine.domain.truths import (
    Ahead,
    Foreseen,
    Net,
    Step,
    Truth,
    TruthCause,
    TruthDifference,
)
from engine.domain.units import NATIVE_DECIMALS
from engine.portfolio.costs import EXACT

AHEAD_MAX: Final = 8
WHY_CHARACTERS: Final = 300

_BY_WORDS: Final[Sequence[tuple[str, TruthCause]]] = (
    ("LoanFeeTooHigh", TruthCause.FEE),
    ("Expired", TruthCause.LATE),
    ("AllowanceLeft", TruthCause.TOKEN),
    ("NotExecutor", TruthCause.REFUSED),
    ("Paused", TruthCause.REFUSED),
    ("there is no contract of ours", TruthCause.REFUSED),
    ("outbid in block", TruthCause.OUTBID),
    ("by what we never signed", TruthCause.FOREIGN),
    ("too late", TruthCause.LATE),
    ("its time was over", TruthCause.LATE),
    ("asked after before it came", TruthCause.LATE),
)
"""What a sentence of ours or of the contract says by itself; all else is for the chain to say."""


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """What the chain shows of a trade after its end.

    Attributes:
        at_parent: what the call came to on the state of the block before the one that holds it:
            gain less the builder's share, in raw units; 0 where it reverts there. None where
            nothing landed, or no node says.
        is_late: it landed in a block of a later second than it may.
        place: its number in the block.
        ahead: who touched its pools before it there, and how many they are.
        tip_bps: share of the gain that the call gives to whoever makes the block.
        was_touched: of one that was never signed: whether its pools were touched between its
            decision and its simulation; None where no node says.
    """

    at_parent: int | None = None
    is_late: bool = False
    place: int | None = None
    ahead: tuple[Ahead, ...] = ()
    ahead_count: int | None = None
    tip_bps: int = 0
    was_touched: bool | None = None


def truth_of(
    plan: AtomicPlan,
    news: TransactionNews,
    foreseen: Foreseen | None,
    behind: Behind,
    *,
    engine: str,
) -> Truth:
    """Return the truth of a plan as far as it was told."""
    predicted, simulated = predicted_of(plan), _simulated(plan, foreseen)
    realised = _realised(plan, news, behind.tip_bps)
    if simulated is None:
        cause = _unsimulated(news, foreseen, behind)
        differences = [(Step.REALISED, cause, realised.profit_raw - predicted.profit_raw)]
    else:
        assert foreseen is not None
        differences = [
            *_to_simulated(predicted, simulated, foreseen, behind),
            *_to_realised(simulated, realised, news, foreseen, behind),
        ]
    chance = plan.chance
    return Truth(
        client_order_id=news.client_order_id,
        version=news.version,
        plan_id=plan.plan_id,
        opportunity_id=plan.opportunity.opportunity_id,
        engine=engine,
        chain=plan.chain,
        decided_at_ns=plan.decided_at_ns,
        route=tuple(str(step.venue) for step in plan.steps),
        asset=str(plan.steps[0].source),
        decimals=plan.steps[0].decimals_in,
        usd_per_unit=plan.usd_per_quote,
        fate=news.fate,
        predicted=predicted,
        simulated=simulated,
        realised=realised,
        differences=tuple(
            TruthDifference(step=step, cause=cause, raw=raw)
            for step, cause, raw in differences
            if raw
        ),
        ahead=behind.ahead[:AHEAD_MAX],
        ahead_count=behind.ahead_count,
        block=None if news.receipt is None else news.receipt.block,
        place=behind.place,
        hash=news.hash,
        chance=None if chance is msgspec.UNSET else chance,
        why=_why(news)[:WHY_CHARACTERS],
    )


def predicted_of(plan: AtomicPlan) -> Net:
    """Return the detector's exact answer: gas as it is expected, no share for a builder."""
    first, last = plan.steps[0], plan.steps[-1]
    gain = exact_sum((last.amount_out, -first.amount_in, -plan.flash_fee))
    gas = plan.gas
    gas_wei = _raw(gas.expected if gas.is_apart else gas.amount, NATIVE_DECIMALS)
    return Net(
        gain_raw=_raw(gain, first.decimals_in),
        gas_wei=gas_wei,
        gas_raw=_gas_raw(plan, gas_wei),
    )


def _simulated(plan: AtomicPlan, foreseen: Foreseen | None) -> Net | None:
    if foreseen is None or not foreseen.is_simulated:
        return None
    gas_wei = foreseen.gas_used * foreseen.gas_price_wei + foreseen.bytes_wei
    return Net(
        gain_raw=foreseen.gain_raw,
        builder_raw=foreseen.builder_raw,
        gas_wei=gas_wei,
        gas_raw=_gas_raw(plan, gas_wei),
    )


def _realised(plan: AtomicPlan, news: TransactionNews, tip_bps: int) -> Net:
    """Return what was booked; the builder's share, which is in the gas there, apart."""
    receipt = news.receipt
    if receipt is None or news.fate is Fate.UNDONE:
        return Net()
    gas_wei = _raw(receipt.gas, NATIVE_DECIMALS)
    gain_raw = builder_raw = 0
    if receipt.swaps:
        first, last = receipt.swaps[0], receipt.swaps[-1]
        gain = exact_sum((last.amount_out, -first.amount_in, -receipt.flash_fee))
        gain_raw = _raw(gain, plan.steps[0].decimals_in)
        builder_raw = gain_raw * tip_bps // BPS
    gas_wei -= builder_raw  # a share is only ever given of the chain's own coin
    return Net(
        gain_raw=gain_raw,
        builder_raw=builder_raw,
        gas_wei=gas_wei,
        gas_raw=_gas_raw(plan, gas_wei),
    )


Change = tuple[Step, TruthCause, int]


def _to_simulated(
    predicted: Net, simulated: Net, foreseen: Foreseen, behind: Behind
) -> list[Change]:
    expected_raw = predicted.gain_raw if foreseen.expected_raw is None else foreseen.expected_raw
    moved = _moved(behind)
    return [
        (Step.SIMULATED, TruthCause.FEE, expected_raw - predicted.gain_raw),
        (Step.SIMULATED, moved, simulated.gain_raw - expected_raw),
        (Step.SIMULATED, TruthCause.BUILDER, -simulated.builder_raw),
        (Step.SIMULATED, TruthCause.GAS, predicted.gas_raw - simulated.gas_raw),
    ]


def _to_realised(
    simulated: Net, realised: Net, news: TransactionNews, foreseen: Foreseen, behind: Behind
) -> list[Change]:
    """Part what changed between the simulation and the block from what its block did to it."""
    foreseen_raw = simulated.gain_raw - simulated.builder_raw
    kept_raw = realised.gain_raw - realised.builder_raw
    gas = (Step.REALISED, TruthCause.GAS, simulated.gas_raw - realised.gas_raw)
    if news.fate in {Fate.SUCCEEDED, Fate.REVERTED}:
        if behind.is_late and news.fate is Fate.REVERTED:
            return [(Step.REALISED, TruthCause.LATE, kept_raw - foreseen_raw), gas]
        if behind.at_parent is None:
            cause = TruthCause.UNKNOWN
            return [(Step.REALISED, cause, kept_raw - foreseen_raw), gas]
        in_block = TruthCause.ORDER if behind.ahead_count else TruthCause.TOKEN
        if behind.ahead_count is None:
            in_block = TruthCause.UNKNOWN
        return [
            (Step.REALISED, TruthCause.STATE, behind.at_parent - foreseen_raw),
            (Step.REALISED, in_block, kept_raw - behind.at_parent),
            gas,
        ]
    cause = foreseen.cause or _unlanded(news)
    return [(Step.REALISED, cause, kept_raw - foreseen_raw), gas]


def _unlanded(news: TransactionNews) -> TruthCause:
    if news.fate is Fate.UNDONE:
        return TruthCause.REORGANISED
    said = _said(_why(news))
    if said is not None:
        return said
    return TruthCause.LATE if news.fate is Fate.CANCELLED else TruthCause.REFUSED


def _unsimulated(news: TransactionNews, foreseen: Foreseen | None, behind: Behind) -> TruthCause:
    if foreseen is not None and foreseen.cause is not None:
        return foreseen.cause
    if news.fate is Fate.UNDONE:
        return TruthCause.REORGANISED
    said = _said(_why(news))
    if said is not None:
        return said
    return TruthCause.UNKNOWN if foreseen is None else _moved(behind)


def _moved(behind: Behind) -> TruthCause:
    if behind.was_touched is None:
        return TruthCause.UNKNOWN
    return TruthCause.STATE if behind.was_touched else TruthCause.TOKEN


def _said(why: str) -> TruthCause | None:
    return next((cause for words, cause in _BY_WORDS if words in why), None)


def _why(news: TransactionNews) -> str:
    return news.why or ("" if news.receipt is None else news.receipt.why)


def _gas_raw(plan: AtomicPlan, gas_wei: int) -> int:
    """Return gas in units of the route's asset, rounded up, at the rate of the plan."""
    gas, first = plan.gas, plan.steps[0]
    if gas.asset == first.source:
        return gas_wei
    if not gas.amount:
        return 0
    coins = Decimal(gas_wei).scaleb(-NATIVE_DECIMALS, EXACT)
    worth = EXACT.divide(EXACT.multiply(gas.quote, coins), gas.amount)
    return int(worth.scaleb(first.decimals_in, EXACT).to_integral_value(ROUND_CEILING, EXACT))


def _raw(amount: Decimal, decimals: int) -> int:
    return int(amount.scaleb(decimals, EXACT))
