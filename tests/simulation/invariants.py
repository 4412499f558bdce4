"""What must hold of every run, each said by sums of its own: none asks the code that is tested.

Each function returns what does not hold, in words.
"""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from engine.bus.notices import PaperTraded
from engine.bus.records import (
    DepositRecord,
    EngineState,
    ExecutionRecord,
    IntentRecord,
    NoticeRecord,
    Record,
)
from engine.domain.holdings import Holding
from engine.domain.opportunities import Side
from engine.domain.orders import Execution, Order, OrderState, Purpose, Transaction
from engine.domain.plans import AtomicPlan, LeggedPlan, MixedPlan, Part
from engine.domain.residuals import Residual
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.operate.recording import number_of, segments_of
from engine.settings.schema import Settings
from engine.storage.ledger_settings import DATABASE_NAME
from engine.tools.replaying import replay
from tests.simulation.life import Life

FEE_STEP = Fraction(1, 10**4)
"""Fees of a base that is dear are rounded up to steps of it."""

SEGMENTS_TRIED = 1
"""Of each life: what a replay costs is the core that it builds, and lives are many."""

ENDED = {OrderState.FILLED, OrderState.EXPIRED, OrderState.CANCELLED}

Sums = dict[tuple[str, ...], Fraction]


def check_kept(life: Life, stored: Sequence[Record], *, is_drained: bool) -> Iterator[str]:
    """Money is stored in the order in which it was made, and none is left out."""
    own = [one for one in stored if isinstance(one, ExecutionRecord | DepositRecord)]
    own = [one for one in own if one.run_id == life.header.run_id]
    if own != life.put[: len(own)]:
        yield "what is stored is not the beginning of what was made"
    if is_drained and len(own) != len(life.put):
        yield f"{len(life.put)} money records were made, {len(own)} are stored"


def check_live(life: Life, *, has_stepped: bool) -> Iterator[str]:
    """What the engine holds is what it began with and what its records say."""
    executions = [one.execution for one in life.put if isinstance(one, ExecutionRecord)]
    residuals = list(_residual_parts(life.header.residuals))
    residuals += _execution_parts(executions)
    yield from _differ("live residuals", _held(life.core.positions.residuals), fold(residuals))
    holdings = [(_place(one), Fraction(one.held.value)) for one in life.header.holdings]
    holdings += _changes(life.put)
    yield from _differ("live balances", _balances(life.core.inventory.holdings), fold(holdings))
    if not has_stepped:
        now_ns = life.now_ns()
        was_today = life.header.started_at_ns // NS_PER_DAY == now_ns // NS_PER_DAY
        expected = Fraction(life.header.realised_today_usd) if was_today else Fraction(0)
        expected += sum(
            _realised(one)
            for one in executions
            if one.closed_at_ns // NS_PER_DAY == now_ns // NS_PER_DAY
        )
        actual = Fraction(life.core.positions.realised_usd(now_ns))
        if actual != expected:
            yield f"realised today is {float(actual)}, not {float(expected)} USD"
    fallen = Fraction(life.header.drawdown_usd)
    for execution in executions:
        fallen = max(fallen - _realised(execution), Fraction(0))
        yield from check_execution(execution)
    if Fraction(life.core.positions.drawdown_usd) != fallen:
        yield f"{life.core.positions.drawdown_usd} below the highest point, not {float(fallen)} USD"
    fills = Counter(fill.fill_id for one in executions for of in one.orders for fill in of.fills)
    yield from (f"{name} is booked {count} times" for name, count in fills.items() if count > 1)


def check_execution(execution: Execution) -> Iterator[str]:
    """Every order has ended, none is overfilled, and the legs' leftovers are the fills' sums."""
    left: Counter[str] = Counter()
    for order in execution.orders:
        ends = {OrderState.REJECTED} if execution.void else ENDED
        if order.state not in ends or (execution.void and order.fills):
            yield f"order {order.client_order_id} is {order.state} at the end"
        if order.filled_base > order.size_base:
            yield f"order {order.client_order_id} is overfilled"
        for (_, asset), change in _order_changes(order):
            left[asset] += change  # type: ignore[assignment]
    for (_, asset), change in _swap_changes(execution.transaction):
        left[asset] += change  # type: ignore[assignment]
    cash = Fraction(left[execution.quote])
    for one in execution.residuals:
        left[one.held.asset] -= Fraction(one.held.value)  # type: ignore[assignment]
    yield from _check_transaction(execution)
    yield from _check_profit(execution, cash)
    for asset, rest in left.items():
        if rest and asset != execution.quote:
            yield f"{execution.execution_id} leaves {float(rest)} {asset} in no residual"


def _check_transaction(execution: Execution) -> Iterator[str]:
    """One that landed did all or nothing, and what it came to is what its receipt says."""
    one, name = execution.transaction, execution.execution_id
    if one is None:
        return
    receipt = one.receipt
    if receipt is not None and bool(receipt.why) == bool(receipt.swaps):
        yield f"{name} reverted ({receipt.why}) with {len(receipt.swaps)} swaps"
    landed = {OrderState.FILLED if receipt and receipt.swaps else OrderState.CANCELLED}
    if one.state not in (landed if receipt else {OrderState.REJECTED, OrderState.CANCELLED}):
        yield f"transaction of {name} is {one.state} at the end, receipt {receipt}"


def _check_profit(execution: Execution, cash: Fraction) -> Iterator[str]:
    """It is what was got less what was given, with leftovers as filled, less gas and transfer."""
    receipt = None if execution.transaction is None else execution.transaction.receipt
    gas = Fraction(0) if receipt is None else Fraction(receipt.gas_quote)
    worth = sum((Fraction(one.carry.value) for one in execution.residuals), Fraction(0))
    transfer = cash + worth - gas - Fraction(execution.profit_quote)
    turned = sum((Fraction(one.notional_quote) for one in execution.orders), Fraction(0))
    if execution.corrects:  # a transfer may be less by what was told late
        return
    if not 0 <= transfer <= turned / 100:
        yield f"{execution.execution_id} came to {execution.profit_quote}: {float(transfer)} is off"
    if transfer and not execution.orders:
        yield f"{execution.execution_id} paid {float(transfer)} for no transfer"


def check_plans(life: Life, settings: Settings) -> Iterator[str]:
    """What was traded goes by the settings: size, edge, time to live, fees and limit prices."""
    fees_bps = settings.costs.fee_bps_taker
    for record in life.put:
        if not isinstance(record, ExecutionRecord) or record.execution.corrects:
            continue
        plan, name = record.plan, record.plan.plan_id
        is_scheduled = not isinstance(plan, LeggedPlan) and plan.schedule is not msgspec.UNSET
        lives_ns = plan.deadline_ns - plan.decided_at_ns
        if lives_ns > NS_PER_S or (lives_ns != NS_PER_S and not is_scheduled):
            yield f"{name} lives for {plan.deadline_ns - plan.decided_at_ns} ns"
        if plan.net_edge_bps < settings.limits.net_edge_bps_min:
            yield f"{name} was made for {plan.net_edge_bps} bps"
        if isinstance(plan, AtomicPlan):
            yield from _check_atomic(plan, settings)
        elif plan.notional_usd > settings.limits.position_usd:
            yield f"{name} is of {plan.notional_usd} USD"
        if isinstance(plan, MixedPlan):
            yield from _check_mixed(plan, record.execution)
        for order in record.execution.orders:
            yield from _check_order(order, Fraction(fees_bps[order.instrument.venue]) / 10_000)


def _check_atomic(plan: AtomicPlan, settings: Settings) -> Iterator[str]:
    """It pays for a loan what the settings say, and gains more than it pays in all."""
    first, last = plan.steps[0], plan.steps[-1]
    ratio = Fraction(settings.routes.flash_fee_bps) / 10_000
    owed = Fraction(first.amount_in) * ratio if plan.has_flash_loan else Fraction(0)
    if not owed <= Fraction(plan.flash_fee) <= owed + FEE_STEP:
        yield f"{plan.plan_id} pays {plan.flash_fee} for its loan, not {float(owed)}"
    gain = Fraction(last.amount_out) - Fraction(first.amount_in) - Fraction(plan.flash_fee)
    if Fraction(plan.profit_quote) != gain - Fraction(plan.gas.quote):
        yield f"{plan.plan_id} is to come to {plan.profit_quote}, not {float(gain)} less its gas"


def _check_mixed(plan: MixedPlan, execution: Execution) -> Iterator[str]:
    """Nothing is borrowed, nothing is more than planned, and nothing follows on what failed."""
    name, transaction = plan.plan_id, execution.transaction
    if execution.void:  # what was intended by a life that ended, of which nothing counts
        return
    receipt = None if transaction is None else transaction.receipt
    swaps = () if receipt is None else receipt.swaps
    if receipt is not None and receipt.flash_fee:
        yield f"{name} borrowed for {receipt.flash_fee}"
    if swaps and swaps[0].amount_in > plan.steps[0].amount_in:
        yield f"{name} swapped {swaps[0].amount_in} of {plan.steps[0].amount_in}"
    if plan.first is Part.TRANSACTION and not swaps and execution.orders:
        yield f"{name} sent orders behind a transaction that did nothing"
    if plan.first is Part.ORDERS and swaps and not any(one.fills for one in execution.orders):
        yield f"{name} swapped behind orders that filled nothing"
    sizes = {leg.instrument: leg.size_base for leg in plan.legs}
    for order in execution.orders:
        if order.purpose is Purpose.LEG and order.size_base > sizes[order.instrument]:
            yield f"order {order.client_order_id} is of {order.size_base}"


def _check_order(order: Order, fee_ratio: Fraction) -> Iterator[str]:
    sign = 1 if order.side is Side.BUY else -1
    fee = owed = Fraction(0)
    for fill in order.fills:
        if sign * fill.price > sign * order.price_limit:
            yield f"order {order.client_order_id} filled at {fill.price} beyond its limit"
        size, price = Fraction(fill.size_base), Fraction(fill.price)
        fee += Fraction(fill.fee_quote) + Fraction(fill.fee_base) * price
        owed += size * price * fee_ratio
    if order.fills and not owed <= fee <= owed * Fraction(101, 100) + FEE_STEP:
        yield f"order {order.client_order_id} paid a fee of {float(fee)}, not {float(owed)}"


def check_told(stored: Sequence[Record], run_id: str) -> Iterator[str]:
    """Each trade that is stored is told, as it is stored; of a crash's last one that may lack."""
    trades = {
        one.execution.execution_id: one.execution
        for one in stored
        if isinstance(one, ExecutionRecord) and one.run_id == run_id and one.execution.is_traded
    }
    notices = [one.notice for one in stored if isinstance(one, NoticeRecord)]
    told = {one.execution_id: one for one in notices if isinstance(one, PaperTraded)}
    for execution_id, execution in list(trades.items())[:-1]:
        if execution_id not in told and not execution.corrects:
            yield f"{execution_id} is stored and was not told"
    for execution_id in trades.keys() & told.keys():
        one, other = trades[execution_id], told[execution_id]
        left_over = tuple(residual.held for residual in one.residuals)
        if (one.profit_usd, left_over) != (other.profit_usd, other.left_over):
            yield f"{execution_id} came to {one.profit_usd} USD and was told as {other.profit_usd}"


def check_state(state: EngineState, stored: Sequence[Record], day_start_ns: int) -> Iterator[str]:
    """What a restart is told is the fold of all that was ever stored."""
    executions = [one.execution for one in stored if isinstance(one, ExecutionRecord)]
    yield from _differ("residuals", _held(state.residuals), fold(_execution_parts(executions)))
    yield from _differ("balances", _balances(state.holdings), fold(_changes(stored)))
    ended = {one.plan_id for one in executions}
    intended = {one.intent.plan.plan_id for one in stored if isinstance(one, IntentRecord)}
    if {one.plan.plan_id for one in state.open_plans} != intended - ended:
        yield "the plans under way are not those with intents and without an end"
    dated = [(one.closed_at_ns - day_start_ns, _realised(one)) for one in executions]
    today = sum((usd for at_ns, usd in dated if 0 <= at_ns < NS_PER_DAY), Fraction(0))
    later = sum((usd for at_ns, usd in dated if at_ns >= NS_PER_DAY), Fraction(0))
    expected = today + min(later, Fraction(0))
    if Fraction(state.realised_today_usd) != expected:
        yield f"realised today is {state.realised_today_usd}, not {float(expected)} USD"
    fallen = Fraction(0)
    for one in executions:
        fallen = max(fallen - _realised(one), Fraction(0))
    if Fraction(state.drawdown_usd) != fallen:
        yield f"realised is {state.drawdown_usd} below its highest point, not {float(fallen)} USD"


def check_restored(life: Life) -> Iterator[str]:
    """A new engine begins with all of it."""
    yield from _differ(
        "restored residuals",
        _held(life.core.positions.residuals),
        _held(life.state.residuals),
    )
    yield from _differ(
        "restored balances", _balances(life.core.inventory.holdings), _balances(life.state.holdings)
    )


def check_replay(
    life: Life, recording: Path, rng: random.Random, *, is_closed: bool
) -> Iterator[str]:
    """The recording gives the same decisions, byte for byte, from any of its segments on."""
    if not recording.exists():
        return  # the crash came before anything was on the disk
    lines: list[bytes] = []
    result = replay(recording, lines=lines)
    if result.first_difference is not None:
        yield f"the replay differs from input {result.first_difference} on"
    if lines != life.lines[: len(lines)]:
        yield "the replay's decision log is not the beginning of the run's"
    later = segments_of(recording)[1:]
    for segment in rng.sample(later, min(len(later), SEGMENTS_TRIED)):
        tail: list[bytes] = []
        begun = replay(recording, lines=tail, first=number_of(segment))
        if begun.first_difference is not None:
            yield f"from {segment.name} it differs from input {begun.first_difference} on"
        if tail != lines[len(lines) - len(tail) :]:
            yield f"from {segment.name} the decision log is not the end of the run's"
    if is_closed and (len(lines), result.inputs) != (len(life.lines), life.core.hot_path.seq):
        yield f"the replay has {result.inputs} inputs of {life.core.hot_path.seq}"


def check_database(directory: Path, stored: Sequence[Record]) -> Iterator[str]:
    """The closed file holds every record once, and its fills and deposits sum up to balances."""
    with sqlite3.connect(directory / DATABASE_NAME) as database:
        execute = database.execute
        orders = [
            order
            for one in stored
            if isinstance(one, ExecutionRecord)
            for order in one.execution.orders
        ]
        for table, expected in (
            ("executions", sum(isinstance(one, ExecutionRecord) for one in stored)),
            ("deposits", sum(isinstance(one, DepositRecord) for one in stored)),
            ("orders", len({order.client_order_id for order in orders})),
            ("fills", sum(len(order.fills) for order in orders)),
            ("transactions", sum(map(_is_transaction, stored))),
        ):
            ((count,),) = execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - names above
            if count != expected:
                yield f"{table} has {count} rows, not {expected}"
        parts: list[tuple[tuple[str, ...], Fraction]] = []
        for venue, pair, side, price, size, fee_quote, fee_base in execute(
            "SELECT venue, pair, side, price, fills.size_base, fee_quote, fee_base "
            "FROM fills JOIN orders USING (client_order_id)"
        ):
            base, quote = pair.split("-")
            sign = 1 if side == Side.BUY.value else -1
            traded = sign * Fraction(size)
            parts.append(((venue, base), traded - Fraction(fee_base)))
            parts.append(((venue, quote), -traded * Fraction(price) - Fraction(fee_quote)))
        parts += _swapped(database)
        parts += [
            ((venue, asset), Fraction(added))
            for venue, asset, added in execute("SELECT venue, asset, added FROM deposits")
        ]
        held: Sums = {
            (venue, asset): Fraction(amount)
            for venue, asset, amount in execute("SELECT venue, asset, held FROM balances")
        }
    database.close()
    yield from _differ("the file's balances", _nonzero(held), fold(parts))


def _swapped(database: sqlite3.Connection) -> Iterator[tuple[tuple[str, ...], Fraction]]:
    """What the file says that transactions changed: gas, the loan, and the ends of their swaps."""
    for execution_id, wallet, fee, gas_asset, gas in database.execute(
        "SELECT execution_id, wallet, flash_fee, gas_asset, gas FROM transactions "
        "WHERE gas IS NOT NULL"
    ):
        yield (wallet, gas_asset), -Fraction(gas)
        swaps = database.execute(
            "SELECT source, target, amount_in, amount_out FROM swaps WHERE execution_id = ? "
            "ORDER BY position",
            (execution_id,),
        ).fetchall()
        if swaps:
            yield (wallet, swaps[0][0]), -Fraction(swaps[0][2]) - Fraction(fee)
            yield (wallet, swaps[-1][1]), Fraction(swaps[-1][3])


def _is_transaction(record: Record) -> bool:
    return isinstance(record, ExecutionRecord) and record.execution.transaction is not None


def fold(parts: Iterable[tuple[tuple[str, ...], Fraction]]) -> Sums:
    """Add up by place; what comes to nothing is left out."""
    sums: Sums = {}
    for place, amount in parts:
        sums[place] = sums.get(place, Fraction(0)) + amount
    return _nonzero(sums)


def _nonzero(sums: Sums) -> Sums:
    return {place: amount for place, amount in sums.items() if amount}


def _differ(what: str, actual: Sums, expected: Sums) -> Iterator[str]:
    for place in sorted({*actual, *expected}):
        one, other = actual.get(place, Fraction(0)), expected.get(place, Fraction(0))
        if one != other:
            yield f"{what} at {' '.join(place)}: {float(one)}, not {float(other)}"


def _place(one: Holding) -> tuple[str, ...]:
    return (one.venue, one.held.asset)


def _balances(holdings: Iterable[Holding]) -> Sums:
    return fold((_place(one), Fraction(one.held.value)) for one in holdings)


def _held(residuals: Iterable[Residual]) -> Sums:
    return fold(_residual_parts(residuals))


def _residual_parts(residuals: Iterable[Residual]) -> Iterator[tuple[tuple[str, ...], Fraction]]:
    for one in residuals:
        yield (*one.place, "held"), Fraction(one.held.value)
        yield (*one.place, "carry"), Fraction(one.carry.value)


def _execution_parts(
    executions: Iterable[Execution],
) -> Iterator[tuple[tuple[str, ...], Fraction]]:
    for execution in executions:
        yield from _residual_parts(execution.residuals)
        for one, realised in zip(execution.residuals, execution.corrections_quote, strict=False):
            yield (*one.place, "carry"), Fraction(realised)


def _changes(records: Iterable[Any]) -> Iterator[tuple[tuple[str, ...], Fraction]]:
    for one in records:
        if isinstance(one, DepositRecord):
            yield (one.deposit.venue, one.deposit.added.asset), Fraction(one.deposit.added.value)
        elif isinstance(one, ExecutionRecord):
            for order in one.execution.orders:
                yield from _order_changes(order)
            if one.execution.transaction is not None:
                yield from _transaction_changes(one.execution.transaction)


def _transaction_changes(one: Transaction) -> Iterator[tuple[tuple[str, str], Fraction]]:
    receipt = one.receipt
    if receipt is None:
        return
    yield (one.wallet, receipt.gas_asset), -Fraction(receipt.gas)
    if receipt.swaps:
        yield from _swap_changes(one)


def _swap_changes(one: Transaction | None) -> Iterator[tuple[tuple[str, str], Fraction]]:
    """What its swaps changed: gas is no part of it."""
    receipt = None if one is None else one.receipt
    if one is None or receipt is None or not receipt.swaps:
        return
    first, last = receipt.swaps[0], receipt.swaps[-1]
    paid = Fraction(first.amount_in) + Fraction(receipt.flash_fee)
    yield (one.wallet, first.source), -paid
    yield (one.wallet, last.target), Fraction(last.amount_out)


def _order_changes(order: Order) -> Iterator[tuple[tuple[str, str], Fraction]]:
    of = order.instrument
    sign = 1 if order.side is Side.BUY else -1
    for fill in order.fills:
        traded = sign * Fraction(fill.size_base)
        yield (of.venue, of.pair.base), traded - Fraction(fill.fee_base)
        yield (of.venue, of.pair.quote), -traded * Fraction(fill.price) - Fraction(fill.fee_quote)


def _realised(execution: Execution) -> Fraction:
    return Fraction(execution.profit_usd) + Fraction(execution.correction_usd)


Findings = Iterator[str]
