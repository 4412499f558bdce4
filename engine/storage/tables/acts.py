"""What people set, allowed and did, and the chain of all of it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, UniqueConstraint

from engine.storage.columns import ExactDecimal, FreeText
from engine.storage.tables.metadata import engine_id, metadata, number

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Text, primary_key=True),
    engine_id(),
    Column("run_id", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("asked_at_ns", BigInteger, nullable=False),
    Column("approval", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("profit_usd", ExactDecimal, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at_ns", BigInteger),
    Column("ended_by", FreeText, nullable=False),
    Column("why", FreeText, nullable=False),
    Column("now_usd", ExactDecimal),
    Index("ix_approvals_asked_at_ns", "asked_at_ns"),
)
"""What people were asked, with the terms (JSON), and what became of it. `now_usd` is what the route
was worth when that was decided."""

mandates = Table(
    "mandates",
    metadata,
    Column("mandate_id", Text, primary_key=True),
    engine_id(),
    Column("run_id", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("granted_at_ns", BigInteger, nullable=False),
    Column("granted_by", FreeText, nullable=False),
    Column("mandate", Text, nullable=False),
    Column("spent_usd", ExactDecimal, nullable=False),
    Column("plans", BigInteger, nullable=False),
    Column("realised_usd", ExactDecimal, nullable=False),
    Column("ended", FreeText, nullable=False),
    Column("ended_at_ns", BigInteger),
    Column("ended_by", FreeText, nullable=False),
    Index("ix_mandates_granted_at_ns", "granted_at_ns"),
)
"""Standing permissions (JSON), and what was made of each so far."""

operator_state = Table(
    "operator_state",
    metadata,
    number(),
    Column("record_id", Text, nullable=False, unique=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("mode", Text, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    Column("by", FreeText, nullable=False),
    Column("action", FreeText, nullable=False),
    Column("digest", Text, nullable=False),
    Column("limits", Text, nullable=False, server_default="{}"),
    Column("latch_act", Text),
    Column("latch_of", Text),
    Column("code_step", BigInteger),
    engine_id(),
    Column("delayed", Text, nullable=False, server_default="[]"),
    Column("switched_off", Text, nullable=False, server_default="[]"),
    Column("fees", Text, nullable=False, server_default="{}"),
    Index("ix_operator_state_at_ns", "at_ns"),
    sqlite_autoincrement=True,
)
"""What the operator set and did, in order: all of it is the audit.

The last row without a `latch_act` is mode, pause and limits (JSON); a row with one is a kill, an
unkill or a wrong one-time code, beside mode and pause as they were; `latch_of` is the engine whose
latch it is, none for that of all. `delayed` (JSON) is what was allowed and waits, `switched_off`
(JSON) the venues and pairs that are off, `fees` (JSON) what was set of them by venue."""

audit = Table(
    "audit",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("content", Text, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("kind", "record_id"),
)
"""The chain of all acts; see `audit.py`. `kind` is the act's table, `content` its row as JSON."""
