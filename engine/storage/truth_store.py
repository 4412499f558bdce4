"""What transactions were predicted, simulated and realised to come to: kept, summed up, looked up.

One row for each, of the newest that was told; the sums are exact, and say of how many they are.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.truth_lines import AheadLine, CauseLine, TruthLine
from engine.bus.truths import LINES_MAX, TruthsKept, TruthsReport
from engine.domain.exact import exact_sum
from engine.domain.modes import Basis
from engine.domain.truths import WIDE, Truth, TruthDifference
from engine.storage.insertion import insert_new
from engine.storage.tables.trades import truths as table

log = logging.getLogger(__name__)

SUMMED_MAX: Final = 100_000
AHEAD_SHOWN: Final = 5


async def keep(connection: AsyncConnection, *, truths: Sequence[bytes], basis: Basis) -> TruthsKept:
    """Store truths; one that is not newer than what is stored changes nothing.

    What cannot be read is told, and left out: asked again it would be no other.
    """
    kept = 0
    for content in truths:
        try:
            truth = msgspec.json.decode(content, type=Truth)
            row = _row(truth, content.decode(), basis)
        except (msgspec.DecodeError, UnicodeDecodeError, ArithmeticError) as error:
            log.warning("what a trade was cannot be read: %s", error)
            continue
        if await insert_new(connection, table, row):
            kept += 1
            continue
        is_older = (table.c.client_order_id == truth.client_order_id) & (
            table.c.version < truth.version
        )
        done = await connection.execute(update(table).where(is_older).values(**row))
        kept += done.rowcount
    return TruthsKept(kept=kept)


async def load(connection: AsyncConnection, *, since_ns: int, limit: int) -> TruthsReport:
    """Sum up the trades since an instant, of the basis of the newest."""
    newest = await connection.execute(
        select(table.c.basis).order_by(table.c.decided_at_ns.desc()).limit(1)
    )
    basis = Basis(newest.scalar_one_or_none() or Basis.SANDBOX_LIVE)
    found = await connection.execute(
        select(table)
        .where(table.c.decided_at_ns >= since_ns, table.c.basis == basis.value)
        .order_by(table.c.decided_at_ns.desc(), table.c.client_order_id.desc())
        .limit(SUMMED_MAX)
    )
    rows = found.all()
    lines = [line_of(row) for row in rows[: max(1, min(limit, LINES_MAX))]]
    simulated = [row.simulated_usd for row in rows if row.simulated_usd is not None]
    return TruthsReport(
        basis=basis,
        n=len(rows),
        simulated_n=len(simulated),
        predicted_usd=exact_sum(row.predicted_usd for row in rows),
        simulated_usd=exact_sum(simulated),
        realised_usd=exact_sum(row.realised_usd for row in rows),
        fates=dict(Counter(row.fate for row in rows).most_common()),
        causes=_causes(map(_truth, rows)),
        ahead=[
            AheadLine(sender=sender, count=count)
            for sender, count in Counter(
                row.first_ahead for row in rows if row.first_ahead
            ).most_common(AHEAD_SHOWN)
        ],
        ahead_n=sum(row.ahead is not None for row in rows),
        lines=lines,
    )


async def load_of_plan(connection: AsyncConnection, plan_id: str) -> TruthLine | None:
    """Load what the transaction of a plan was, None where it is not known."""
    found = await connection.execute(select(table).where(table.c.plan_id == plan_id).limit(1))
    row = found.one_or_none()
    return None if row is None else line_of(row)


def line_of(row: "Row[Any]") -> TruthLine:
    """Return a stored truth as it is shown."""
    truth = _truth(row)
    return TruthLine(
        plan_id=truth.plan_id,
        chain=truth.chain,
        decided_at_ns=truth.decided_at_ns,
        route=truth.route,
        asset=truth.asset,
        fate=truth.fate.value,
        predicted=_whole(truth, truth.predicted.profit_raw),
        simulated=None if truth.simulated is None else _whole(truth, truth.simulated.profit_raw),
        realised=_whole(truth, truth.realised.profit_raw),
        predicted_usd=row.predicted_usd,
        simulated_usd=row.simulated_usd,
        realised_usd=row.realised_usd,
        causes=tuple(
            CauseLine(step=one.step.value, cause=one.cause.value, count=1, usd=truth.usd(one.raw))
            for one in truth.differences
        ),
        ahead=tuple(
            AheadLine(sender=one.sender, place=one.place, hash=one.hash) for one in truth.ahead
        ),
        ahead_count=truth.ahead_count,
        block=truth.block,
        place=truth.place,
        hash=truth.hash,
        chance=truth.chance,
        why=truth.why,
    )


def _row(truth: Truth, content: str, basis: Basis) -> dict[str, Any]:
    simulated = truth.simulated
    return {
        "client_order_id": truth.client_order_id,
        "decided_at_ns": truth.decided_at_ns,
        "version": truth.version,
        "plan_id": truth.plan_id,
        "opportunity_id": truth.opportunity_id,
        "engine_id": truth.engine,
        "basis": basis.value,
        "chain": truth.chain,
        "route": " > ".join(truth.route),
        "asset": truth.asset,
        "fate": truth.fate.value,
        "predicted_raw": Decimal(truth.predicted.profit_raw),
        "simulated_raw": None if simulated is None else Decimal(simulated.profit_raw),
        "realised_raw": Decimal(truth.realised.profit_raw),
        "predicted_usd": truth.usd(truth.predicted.profit_raw),
        "simulated_usd": None if simulated is None else truth.usd(simulated.profit_raw),
        "realised_usd": truth.usd(truth.realised.profit_raw),
        "causes": msgspec.json.encode([_told(truth, one) for one in truth.differences]).decode(),
        "ahead": truth.ahead_count,
        "first_ahead": truth.ahead[0].sender if truth.ahead else "",
        "block": truth.block,
        "place": truth.place,
        "hash": truth.hash,
        "chance": truth.chance,
        "truth": content,
    }


def _told(truth: Truth, one: TruthDifference) -> dict[str, str]:
    usd = truth.usd(one.raw)
    return {"to": one.step.value, "cause": one.cause.value, "raw": str(one.raw), "usd": f"{usd:f}"}


def _truth(row: "Row[Any]") -> Truth:
    return msgspec.json.decode(row.truth, type=Truth)


def _whole(truth: Truth, raw: int) -> Decimal:
    return Decimal(raw).scaleb(-truth.decimals, WIDE)


def _causes(truths: Iterable[Truth]) -> list[CauseLine]:
    """Sum up by step and cause, the largest first."""
    found: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for truth in truths:
        for one in truth.differences:
            found[one.step.value, one.cause.value].append(truth.usd(one.raw))
    lines = [
        CauseLine(step=step, cause=cause, count=len(amounts), usd=exact_sum(amounts))
        for (step, cause), amounts in found.items()
    ]
    return sorted(lines, key=lambda line: (-abs(line.usd), line.step, line.cause))
