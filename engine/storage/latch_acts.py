"""What an engine restores of the acts on the kill latch."""

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.records import CodesUsed, LatchAct, LatchRecord, LatchState, StateRecord
from engine.domain.errors import BadValueError
from engine.storage.tables.acts import operator_state

STEPS_KEPT: Final = 100
"""Used codes that are remembered: a clock that is set back may make an old one right again."""

_acts = operator_state.c


async def load_latch(connection: AsyncConnection, engine: str = "") -> LatchState:
    """Load the newest kill or unkill of all engines, or of one by its name.

    Records may have arrived out of their order.
    """
    newest = await connection.execute(
        select(_acts.latch_act, _acts.at_ns)
        .where(
            _acts.latch_act.in_([LatchAct.KILL.value, LatchAct.UNKILL.value]),
            _acts.latch_of == engine if engine else _acts.latch_of.is_(None),
        )
        .order_by(_acts.at_ns.desc(), _acts.seq.desc())
        .limit(1)
    )
    row = newest.one_or_none()
    if row is None:
        return LatchState()
    return LatchState(is_killed=row.latch_act == LatchAct.KILL, at_ns=row.at_ns)


async def load_codes(connection: AsyncConnection) -> CodesUsed:
    """Load which one-time codes were used up, and how many were wrong since."""
    right = await connection.execute(
        select(_acts.code_step, _acts.seq)
        .where(_acts.code_step.is_not(None))
        .order_by(_acts.seq.desc())
        .limit(STEPS_KEPT)
    )
    rows = right.all()
    wrong = await connection.execute(
        select(func.count(), func.max(_acts.at_ns)).where(
            _acts.latch_act == LatchAct.WRONG_CODE.value,
            _acts.seq > (rows[0].seq if rows else 0),
        )
    )
    count, wrong_at_ns = wrong.one()
    return CodesUsed(
        steps=tuple(row.code_step for row in rows), wrong=count, wrong_at_ns=wrong_at_ns or 0
    )


async def check_code(connection: AsyncConnection, record: LatchRecord | StateRecord) -> None:
    """Make sure that no other act, of whatever engine, used the same one-time code.

    Raises:
        BadValueError: one did.
    """
    if record.code_step is None:
        return
    used = await connection.execute(
        select(_acts.record_id).where(
            _acts.code_step == record.code_step, _acts.record_id != record.record_id
        )
    )
    if used.first() is not None:
        raise BadValueError("its one-time code was used for another act")
