"""Records into rows: one atomic batch, each record once however often it arrives."""

import hashlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.notices import Killed, Notice, Unkilled
from engine.bus.records import (
    ContractActRecord,
    CostRecord,
    DepositRecord,
    ExecutionRecord,
    IntentRecord,
    KeyActRecord,
    LatchAct,
    LatchRecord,
    NoticeRecord,
    OpportunityClosed,
    OpportunityRecord,
    OutcomeRecord,
    Record,
    StateRecord,
    TaskActRecord,
)
from engine.domain.engines import MAIN
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.modes import Basis, Money
from engine.domain.orders import Execution, Order, traded_base
from engine.domain.plans import money_of
from engine.storage import audit, outcomes, permit_acts, permit_store
from engine.storage.balances import Change, add_changes
from engine.storage.insertion import Row, insert_new
from engine.storage.latch_acts import check_code, load_latch
from engine.storage.tables import acts, balances, chats, trades
from engine.storage.transactions import insert_transaction

_NotedRecord = TaskActRecord | ContractActRecord | KeyActRecord
_KINDS: Final = {"TaskActRecord": "task", "ContractActRecord": "contract", "KeyActRecord": "key"}
"""Acts that have no table but the audit, and what their links are called."""


async def append(
    connection: AsyncConnection,
    records: Sequence[Record],
    *,
    basis: Basis,
    engine_id: str = MAIN,
) -> int | None:
    """Store the records of an engine within the transaction of `connection`.

    Records of one kind keep their order; an opportunity is stored before its closing. Kills and
    unkills are told by notices of their own, of this basis.

    Returns:
        the newest notice number if notices were among the records, else None.

    Raises:
        BadValueError: a money record's id is stored already with other content, or a value cannot
            be stored; the transaction must be rolled back.
    """
    seen = [
        {**_opportunity_row(record), "engine_id": engine_id}
        for record in records
        if isinstance(record, OpportunityRecord)
    ]
    if seen:
        await insert_new(connection, trades.opportunities, seen)
    has_notices = False
    changes: list[Change] = []
    for record in records:
        if isinstance(record, OpportunityClosed):
            await _close(connection, record)
        elif isinstance(record, ExecutionRecord | DepositRecord | CostRecord | IntentRecord):
            changes += await _append_money(connection, record, engine_id)
        elif isinstance(record, permit_store.PermitRecord | _NotedRecord):
            await _append_act(connection, record, engine_id)
        elif isinstance(record, StateRecord | OutcomeRecord):
            await _append_state(connection, record, engine_id)
        elif isinstance(record, LatchRecord):
            has_notices |= await _append_latch(connection, record, basis, engine_id)
        elif isinstance(record, NoticeRecord):
            await _insert_once(connection, chats.notices, notice_row(_of(record, engine_id)))
            has_notices = True
    await add_changes(connection, changes)
    if not has_notices:
        return None
    newest = await connection.execute(select(func.max(chats.notices.c.seq)))
    newest_seq: int | None = newest.scalar_one_or_none()
    return newest_seq


async def _append_act(
    connection: AsyncConnection,
    record: permit_store.PermitRecord | _NotedRecord,
    engine_id: str,
) -> None:
    """Store what somebody did, as a link of the audit."""
    if isinstance(record, _NotedRecord):
        kind = _KINDS[type(record).__name__]
        content = {"engine_id": "", "by": record.by, "action": record.action}
        await audit.note_once(
            connection, kind, record_id=record.record_id, at_ns=record.at_ns, content=content
        )
        return
    await permit_store.keep(connection, record, engine_id)
    await permit_acts.link(connection, record, engine_id)


async def _insert_once(connection: AsyncConnection, table: Table, row: Row) -> bool:
    """Insert a row; say whether it is new. A stored one must be the same record."""
    if await insert_new(connection, table, row):
        return True
    key = "execution_id" if table is trades.executions else "record_id"
    stored = await connection.execute(select(table.c.digest).where(_equals(table, key, row[key])))
    if stored.scalar_one_or_none() != row["digest"]:
        raise BadValueError(
            f"{table.name} already holds {key} {row[key]!r} with other content; "
            "ids must not be used twice"
        )
    return False


def _equals(table: Table, name: str, value: object) -> ColumnElement[bool]:
    return table.c[name] == value


async def _append_money(
    connection: AsyncConnection,
    record: ExecutionRecord | DepositRecord | CostRecord | IntentRecord,
    engine_id: str,
) -> list[Change]:
    """Store a record of money; return what it changed of the balances."""
    if isinstance(record, ExecutionRecord):
        return await _append_execution(connection, record, engine_id)
    if isinstance(record, DepositRecord):
        return await _append_deposit(connection, record, engine_id)
    if isinstance(record, CostRecord):
        return await _append_cost(connection, record, engine_id)
    await _insert_once(connection, trades.intents, intent_row(record, engine_id))
    return []


async def _append_execution(
    connection: AsyncConnection, record: ExecutionRecord, engine_id: str
) -> list[Change]:
    """Store an execution; return what it changed of the balances, nothing if it was stored."""
    newest = await connection.execute(select(func.max(trades.executions.c.seq)))
    corrects = record.execution.corrects
    row = {
        **_execution_row(record),
        "engine_id": engine_id,
        "seq": (newest.scalar_one_or_none() or 0) + 1,
    }
    if not await _insert_once(connection, trades.executions, row):
        return []
    execution = record.execution
    orders = [
        _order_row(execution, order, position) for position, order in enumerate(execution.orders)
    ]
    fills = [
        _fill_row(order, position)
        for order in execution.orders
        for position in range(len(order.fills))
    ]
    if corrects:
        # Its orders are stored with the execution that it corrects; their late fills are not.
        if late := await _late_fill_rows(connection, execution):  # a transaction has none
            await connection.execute(insert(trades.fills), late)
    elif orders:
        await connection.execute(insert(trades.orders), orders)
    if fills and not corrects:
        await connection.execute(insert(trades.fills), fills)
    if execution.residuals:
        await connection.execute(
            insert(trades.residuals),
            [{**one, "money": row["money"]} for one in _residual_rows(execution)],
        )
    if execution.transaction is not None:
        await insert_transaction(connection, execution.execution_id, execution.transaction)
    money = money_of(record.plan)
    return [(engine_id, record.basis, money, *change) for change in execution.changes]


async def _append_deposit(
    connection: AsyncConnection, record: DepositRecord, engine_id: str
) -> list[Change]:
    """Store a deposit; return what it changed of the balances, nothing if it was stored."""
    if not await _insert_once(
        connection, balances.deposits, {**_deposit_row(record), "engine_id": engine_id}
    ):
        return []
    venue, added = record.deposit.venue, record.deposit.added
    return [(engine_id, record.basis, record.money, venue, added.asset, added.value)]


async def _append_cost(
    connection: AsyncConnection, record: CostRecord, engine_id: str
) -> list[Change]:
    """Store what a chore paid; return what it changed of the balances, nothing if it was stored."""
    cost = record.cost
    row: Row = {
        "record_id": record.record_id,
        "run_id": record.run_id,
        "basis": record.basis.value,
        "at_ns": record.at_ns,
        **msgspec.structs.asdict(cost),
        "digest": _digest(record),
        "engine_id": engine_id,
        "money": Money.LIVE.value,
    }
    if not await _insert_once(connection, balances.costs, row):
        return []
    return [(engine_id, record.basis, Money.LIVE, cost.venue, cost.asset, -cost.amount)]


async def _append_state(
    connection: AsyncConnection, record: StateRecord | OutcomeRecord, engine_id: str
) -> None:
    """Store what the operator set, and what became of the command that asked for it."""
    if isinstance(record, StateRecord):
        await check_code(connection, record)
        row = {**_state_row(record), "engine_id": engine_id}
        if not await _insert_once(connection, acts.operator_state, row):
            return
        await audit.link(connection, acts.operator_state, record.record_id)
    await outcomes.keep(connection, record.outcome, at_ns=record.at_ns)


async def _append_latch(
    connection: AsyncConnection, record: LatchRecord, basis: Basis, engine_id: str
) -> bool:
    """Store an act on the latch and its notice; say whether there is a new notice.

    A kill that is told again, with another time, is no new act. After a clearing it is one: it
    killed anew. What several engines see in the file is an act of the first.
    """
    table = acts.operator_state
    if record.is_seen:
        newest_act = await load_latch(connection, record.engine)
        if newest_act.is_killed == (record.act is LatchAct.KILL):
            return False
    if await _is_told_again(connection, record):
        if (await load_latch(connection, record.engine)).is_killed:
            return False
        record = msgspec.structs.replace(record, record_id=f"{record.record_id}-{record.at_ns}")
    newest = await connection.execute(
        select(table.c.mode, table.c.is_paused)
        .where(table.c.engine_id == engine_id)
        .order_by(table.c.seq.desc())
        .limit(1)
    )
    state = newest.one_or_none()
    await check_code(connection, record)
    row: Row = {
        "record_id": record.record_id,
        "at_ns": record.at_ns,
        "mode": "" if state is None else state.mode,
        "is_paused": False if state is None else state.is_paused,
        "by": record.by,
        "action": f"{record.act}: {record.why}" if record.why else record.act.value,
        "digest": _digest(record),
        "engine_id": engine_id,
        "latch_act": record.act.value,
        "latch_of": record.engine or None,
        "code_step": record.code_step,
    }
    if not await _insert_once(connection, table, row):
        return False
    await audit.link(connection, table, record.record_id)
    await outcomes.keep(connection, record.outcome, at_ns=record.at_ns)
    if record.act in {LatchAct.WRONG_CODE, LatchAct.DRILL}:
        return False
    notice: Notice = (
        Killed(at_ns=record.at_ns, basis=basis, by=record.by, why=record.why, engine=record.engine)
        if record.act is LatchAct.KILL
        else Unkilled(at_ns=record.at_ns, basis=basis, by=record.by, engine=record.engine)
    )
    stored = NoticeRecord(record_id=f"{record.record_id}-told", notice=notice)
    return await _insert_once(connection, chats.notices, notice_row(stored))


async def _is_told_again(connection: AsyncConnection, record: LatchRecord) -> bool:
    state = acts.operator_state.c
    stored = await connection.execute(
        select(state.digest).where(
            state.record_id == record.record_id, state.latch_act == record.act
        )
    )
    digest = stored.scalar_one_or_none()
    return record.act is LatchAct.KILL and digest is not None and digest != _digest(record)


async def _close(connection: AsyncConnection, record: OpportunityClosed) -> None:
    table = trades.opportunities
    await connection.execute(
        update(table)
        .where(table.c.opportunity_id == record.opportunity_id)
        .values(
            closed_at_ns=record.closed_at_ns,
            peak_profit_quote=record.peak_profit_quote,
            refusals=msgspec.json.encode(record.refusals).decode(),
            ended=record.ended,
        )
    )


def _digest(record: object) -> str:
    return hashlib.sha256(msgspec.json.encode(record)).hexdigest()


def _opportunity_row(record: OpportunityRecord) -> Row:
    row: Row = msgspec.structs.asdict(record)
    row["trigger_seq"], row["buy_seq"], row["sell_seq"] = row.pop("frame_seqs")
    row["basis"] = record.basis.value
    row["hops"] = msgspec.json.encode(record.hops).decode()
    for name in ("size_base", "gross_edge_bps", "net_edge_bps", "profit_quote"):
        if row[name] - row[name] != 0:
            raise BadValueError(
                f"{name} of opportunity {record.opportunity_id} is {row[name]}; it must be finite"
            )
    return row


def _execution_row(record: ExecutionRecord) -> Row:
    execution, plan = record.execution, record.plan
    opportunity = plan.opportunity
    return {
        "execution_id": execution.execution_id,
        "plan_id": execution.plan_id,
        "opportunity_id": execution.opportunity_id,
        "run_id": record.run_id,
        "basis": record.basis.value,
        "mode": record.mode.value,
        "pair": opportunity.pair,
        "base": opportunity.base,
        "quote": execution.quote,
        "buy_venue": opportunity.buy_venue,
        "sell_venue": opportunity.sell_venue,
        "decided_at_ns": plan.decided_at_ns,
        "closed_at_ns": execution.closed_at_ns,
        "size_base": traded_base(plan, execution),
        "profit_quote": execution.profit_quote,
        "profit_usd": execution.profit_usd,
        "expected_usd": execution.expected_usd,
        "residual_base": exact_sum(
            one.held.value for one in execution.residuals if one.held.asset == opportunity.base
        ),
        "carry_quote": execution.carry_quote,
        "correction_quote": execution.correction_quote,
        "correction_usd": execution.correction_usd,
        "found_usd": None if execution.story is None else execution.story.found.usd,
        "story": None if execution.story is None else msgspec.json.encode(execution.story).decode(),
        "residual_sign": 0,
        "corrects": execution.corrects or None,
        "void": execution.void or None,
        "plan": msgspec.json.encode(plan).decode(),
        "digest": _digest(record),
        "money": money_of(plan).value,
    }


def _residual_rows(execution: Execution) -> list[Row]:
    corrections = execution.corrections_quote or (Decimal(0),) * len(execution.residuals)
    return [
        {
            "execution_id": execution.execution_id,
            "position": position,
            "venue": one.venue,
            "asset": one.held.asset,
            "held": one.held.value,
            "carry_asset": one.carry.asset,
            "carry": exact_sum((one.carry.value, correction)),
        }
        for position, (one, correction) in enumerate(
            zip(execution.residuals, corrections, strict=True)
        )
    ]


def _order_row(execution: Execution, order: Order, position: int) -> Row:
    return {
        "client_order_id": order.client_order_id,
        "execution_id": execution.execution_id,
        "position": position,
        "purpose": order.purpose.value,
        "venue": order.instrument.venue,
        "pair": str(order.instrument.pair),
        "kind": order.instrument.kind.value,
        "side": order.side.value,
        "size_base": order.size_base,
        "price_limit": order.price_limit,
        "sent_at_ns": order.sent_at_ns,
        "arrives_at_ns": order.arrives_at_ns,
        "state": order.state.value,
        "version": order.version or None,
    }


def _fill_row(order: Order, position: int) -> Row:
    fill = order.fills[position]
    other = fill.other_fee
    return {
        "fill_id": fill.fill_id,
        "client_order_id": order.client_order_id,
        "position": position,
        "filled_at_ns": fill.filled_at_ns,
        "price": fill.price,
        "size_base": fill.size_base,
        "fee_quote": fill.fee_quote,
        "fee_base": fill.fee_base,
        "other_fee": None if other is None else other.amount,
        "other_fee_asset": None if other is None else other.asset,
        "other_fee_quote": None if other is None else other.worth_quote,
        "frame_seq": fill.frame_seq,
        "version": order.version or None,
    }


async def _late_fill_rows(connection: AsyncConnection, execution: Execution) -> list[Row]:
    rows = []
    for order in execution.orders:
        stored = await connection.execute(
            select(func.count())
            .select_from(trades.fills)
            .where(trades.fills.c.client_order_id == order.client_order_id)
        )
        before = stored.scalar_one()
        rows += [
            {**_fill_row(order, number), "position": before + number}
            for number in range(len(order.fills))
        ]
    return rows


def intent_row(record: IntentRecord, engine_id: str) -> Row:
    """Return the row of an intent."""
    intent = record.intent
    first = intent.sendables[0]
    return {
        "record_id": first.client_order_id,
        "plan_id": intent.plan.plan_id,
        "run_id": record.run_id,
        "basis": record.basis.value,
        "at_ns": first.sent_at_ns,
        "intent": msgspec.json.encode(intent).decode(),
        "digest": _digest(record),
        "engine_id": engine_id,
        "money": money_of(intent.plan).value,
    }


def _deposit_row(record: DepositRecord) -> Row:
    deposit = record.deposit
    return {
        "record_id": record.record_id,
        "run_id": record.run_id,
        "basis": record.basis.value,
        "at_ns": record.at_ns,
        "venue": deposit.venue,
        "asset": deposit.added.asset,
        "added": deposit.added.value,
        "started": deposit.started.value,
        "started_usd": deposit.started_usd,
        "digest": _digest(record),
        "money": record.money.value,
        "why": record.why or None,
        "opened": None if record.opened is None else msgspec.json.encode(record.opened).decode(),
    }


def _state_row(record: StateRecord) -> Row:
    row: Row = msgspec.structs.asdict(record)
    del row["outcome"]
    row["mode"] = record.mode.value
    row["limits"] = msgspec.json.encode(record.limits).decode()
    row["switched_off"] = msgspec.json.encode(row.pop("off")).decode()
    row["fees"] = msgspec.json.encode(record.fees).decode()
    row["delayed"] = msgspec.json.encode(record.delayed).decode()
    row["digest"] = _digest(record)
    return row


def _of(record: NoticeRecord, engine_id: str) -> NoticeRecord:
    told = msgspec.structs.replace(record.notice, engine_id=engine_id)
    return msgspec.structs.replace(record, notice=told)


def notice_row(record: NoticeRecord) -> Row:
    """Return a notice as it is stored."""
    fields: Mapping[str, Any] = msgspec.to_builtins(record.notice)
    return {
        "record_id": record.record_id,
        "at_ns": record.notice.at_ns,
        "kind": fields["type"],
        "basis": record.notice.basis.value,
        "notice": msgspec.json.encode(record.notice).decode(),
        "digest": _digest(record),
    }
