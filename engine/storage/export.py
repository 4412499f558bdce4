"""Tables as CSV for a person's spreadsheet (UTF-8, exact figures, no formulas) and as JSON."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Text, and_, cast, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.storage.story_columns import STORY_HEADER, story_cells
from engine.storage.tables import acts, balances, chats, trades

ROWS_MAX = 100_000
"""Most rows of one export; the newest are kept, and the file's name says so."""

PAGE_ROWS = 1_000
"""Rows that are read at a time; other requests get their turn in between."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

_executions, _orders, _fills = trades.executions, trades.orders, trades.fills
_transactions, _swaps = trades.transactions, trades.swaps
_opportunities, _notices, _state = trades.opportunities, chats.notices, acts.operator_state
_approvals, _mandates = acts.approvals, acts.mandates
_truths = trades.truths


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What a table is exported from.

    Attributes:
        columns: what is exported; the first is an instant in nanoseconds.
        key: unique column that orders rows of the same instant.
        rows: the query over those columns.
        has_story: the last column is the story of a trade, which stands in columns of its own.
    """

    columns: tuple[ColumnElement[Any], ...]
    key: ColumnElement[Any]
    rows: Select[Any]
    has_story: bool = False

    @property
    def header(self) -> list[str]:
        """Names of the CSV columns."""
        names = ["at_utc", *(column.key or "" for column in self.columns)]
        return [*names[:-1], *STORY_HEADER] if self.has_story else names

    def cells(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the cells of a row of `load_page` below the header, but for the first."""
        *cells, last, _ = row
        return (*cells, *story_cells(last)) if self.has_story else (*cells, last)


def _export_of(
    *columns: ColumnElement[Any],
    key: ColumnElement[Any],
    rows: Select[Any] | None = None,
    has_story: bool = False,
) -> Export:
    rows = rows if rows is not None else select(*columns)
    return Export(columns=columns, key=key, rows=rows, has_story=has_story)


_fill_columns = (
    _fills.c.filled_at_ns,
    _fills.c.fill_id,
    _orders.c.client_order_id,
    _orders.c.execution_id,
    _orders.c.purpose,
    _orders.c.venue,
    _orders.c.pair,
    _orders.c.side,
    _fills.c.price,
    _fills.c.size_base,
    _fills.c.fee_quote,
    _fills.c.frame_seq,
    _fills.c.fee_base,
    _fills.c.other_fee,
    _fills.c.other_fee_asset,
)

_swap_key = _swaps.c.execution_id + "-" + cast(_swaps.c.position, Text)
_swap_columns = (_transactions.c.sent_at_ns, *_swaps.c)

_audit_columns = (
    _state.c.at_ns,
    _state.c.seq,
    _state.c.mode,
    _state.c.is_paused,
    _state.c.by,
    _state.c.action,
    _state.c.latch_act,
    _state.c.engine_id,
    acts.audit.c.position,
    acts.audit.c.prev_hash,
    acts.audit.c.hash,
)
"""What was stored before there was a chain has no hash."""

EXPORTS: dict[str, Export] = {
    "trades": _export_of(
        _executions.c.closed_at_ns,
        *(
            _executions.c[name]
            for name in (
                "execution_id",
                "opportunity_id",
                "run_id",
                "basis",
                "mode",
                "pair",
                "buy_venue",
                "sell_venue",
                "size_base",
                "quote",
                "profit_quote",
                "profit_usd",
                "expected_usd",
                "residual_base",
                "carry_quote",
                "correction_quote",
                "correction_usd",
                "corrects",
                "engine_id",
                "money",
                "found_usd",
                "story",
            )
        ),
        key=_executions.c.execution_id,
        has_story=True,
    ),
    "fills": _export_of(
        *_fill_columns,
        key=_fills.c.fill_id,
        rows=select(*_fill_columns).join_from(_fills, _orders),
    ),
    "transactions": _export_of(
        _transactions.c.sent_at_ns,
        *(column for column in _transactions.c if column.name != "sent_at_ns"),
        key=_transactions.c.execution_id,
    ),
    "swaps": _export_of(
        *_swap_columns,
        key=_swap_key,
        rows=select(*_swap_columns).join_from(_swaps, _transactions),
    ),
    "truths": _export_of(
        _truths.c.decided_at_ns,
        *(
            column
            for column in _truths.c
            if column.name not in {"decided_at_ns", "truth", "version"}
        ),
        key=_truths.c.client_order_id,
    ),
    "costs": _export_of(
        balances.costs.c.at_ns,
        *(column for column in balances.costs.c if column.name != "at_ns"),
        key=balances.costs.c.record_id,
    ),
    "opportunities": _export_of(
        _opportunities.c.seen_at_ns,
        *(column for column in _opportunities.c if column.name != "seen_at_ns"),
        key=_opportunities.c.opportunity_id,
    ),
    "notices": _export_of(
        _notices.c.at_ns,
        _notices.c.seq,
        _notices.c.kind,
        _notices.c.basis,
        _notices.c.notice,
        key=_notices.c.seq,
    ),
    "approvals": _export_of(
        _approvals.c.asked_at_ns,
        *(column for column in _approvals.c if column.name != "asked_at_ns"),
        key=_approvals.c.approval_id,
    ),
    "mandates": _export_of(
        _mandates.c.granted_at_ns,
        *(column for column in _mandates.c if column.name != "granted_at_ns"),
        key=_mandates.c.mandate_id,
    ),
    "audit": _export_of(
        *_audit_columns,
        key=_state.c.seq,
        rows=select(*_audit_columns).outerjoin_from(
            _state,
            acts.audit,
            and_(acts.audit.c.kind == _state.name, acts.audit.c.record_id == _state.c.record_id),
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From an instant up to another, and how a file calls it."""

    since_ns: int
    until_ns: int | None
    name: str

    @classmethod
    def of(cls, now_ns: int, *, days: int, since_ns: int | None, until_ns: int | None) -> "Span":
        """Make it of instants, or else of the last days."""
        if since_ns is None:
            return cls(since_ns=now_ns - days * NS_PER_DAY, until_ns=until_ns, name=f"{days}d")
        last_ns = (now_ns if until_ns is None else until_ns) - 1
        name = f"{_day(since_ns)}-to-{_day(last_ns)}"
        return cls(since_ns=since_ns, until_ns=until_ns, name=name)

    def holds(self, at_ns: ColumnElement[Any]) -> ColumnElement[bool]:
        """Select what lies within it."""
        if self.until_ns is None:
            return at_ns >= self.since_ns
        return and_(at_ns >= self.since_ns, at_ns < self.until_ns)


def _day(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns // NS_PER_S, UTC):%Y-%m-%d}"


Page = list[tuple[Any, ...]]


async def load_page(
    connection: AsyncConnection, *, export: Export, span: Span, before: tuple[Any, ...] | None
) -> Page:
    """Load the next `PAGE_ROWS` rows, newest first; each row ends with its key.

    Args:
        connection: of the writer.
        export: what to load.
        span: of the rows wanted.
        before: the last row of the page before this one, None for the first page.
    """
    at_ns = export.columns[0]
    query = export.rows.add_columns(export.key.label("row_key")).where(span.holds(at_ns))
    if before is not None:
        query = query.where(tuple_(at_ns, export.key) < tuple_(before[0], before[-1]))
    found = await connection.execute(
        query.order_by(at_ns.desc(), export.key.desc()).limit(PAGE_ROWS)
    )
    return [tuple(row) for row in found]


def render_csv(export: Export, newest_first: Iterable[tuple[Any, ...]]) -> bytes:
    """Render rows of `load_page` as CSV, oldest first, instants also as UTC."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(export.header)
    for row in reversed(list(newest_first)):
        writer.writerow(
            [_render_instant(row[0]), *(render_cell(cell) for cell in export.cells(row))]
        )
    return text.getvalue().encode()


def render_json(export: Export, newest_first: Iterable[tuple[Any, ...]]) -> bytes:
    """Render rows of `load_page` as a JSON list of objects, oldest first; amounts are strings."""
    header = export.header
    return msgspec.json.encode(
        [
            dict(
                zip(
                    header,
                    (_render_instant(row[0]), *(_plain(cell) for cell in export.cells(row))),
                    strict=True,
                )
            )
            for row in reversed(list(newest_first))
        ]
    )


def _plain(cell: object) -> object:
    return f"{cell:f}" if isinstance(cell, Decimal) else cell


def render_cell(cell: object) -> str:
    """Render a cell exactly; text that a spreadsheet would run as a formula gets a quote mark."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    text = str(cell)
    if text.startswith(_FORMULA_STARTS) and not _is_number(text):
        return f"'{text}"
    return text


def _render_instant(at_ns: int) -> str:
    seconds, rest_ns = divmod(at_ns, NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"


def _is_number(text: str) -> bool:
    try:
        return text.isascii() and text.strip() == text and Decimal(text).is_finite()
    except InvalidOperation:
        return False
