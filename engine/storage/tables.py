"""The ledger's tables. Instants are int64 nanoseconds; money is exact; estimates are floats.

The rows of `executions`, `orders`, `fills`, `deposits`, `operator_state` and `audit` are never
changed or deleted: the migrated schema has triggers that refuse it.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from engine.domain.engines import MAIN
from engine.domain.modes import Money
from engine.storage.columns import ExactDecimal, FreeText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _engine_id() -> "Column[str]":
    """Make the id of the engine whose row it is; all of earlier versions are of one."""
    return Column("engine_id", Text, nullable=False, server_default=MAIN)


def _money() -> "Column[str]":
    """Make the word for the money that was moved; before there were two it was all paper."""
    return Column("money", Text, nullable=False, server_default=Money.PAPER.value)


def _number() -> "Column[int]":
    """Make a number that the database counts up and never uses twice, even after deletions."""
    whole = BigInteger().with_variant(Integer(), "sqlite")
    return Column("seq", whole, primary_key=True, autoincrement=True)


opportunities = Table(
    "opportunities",
    metadata,
    Column("opportunity_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("seen_at_ns", BigInteger, nullable=False),
    Column("pair", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("buy_venue", Text, nullable=False),
    Column("sell_venue", Text, nullable=False),
    Column("size_base", Double, nullable=False),
    Column("gross_edge_bps", Double, nullable=False),
    Column("net_edge_bps", Double, nullable=False),
    Column("profit_quote", Double, nullable=False),
    Column("profit_usd", Double),
    Column("outcome", FreeText, nullable=False),
    Column("detail", FreeText, nullable=False),
    Column("trigger_seq", BigInteger, nullable=False),
    Column("buy_seq", BigInteger, nullable=False),
    Column("sell_seq", BigInteger, nullable=False),
    Column("closed_at_ns", BigInteger),
    Column("peak_profit_quote", Double),
    Column("refusals", Text),
    Column("ended", FreeText),
    Column("hops", Text),
    _engine_id(),
    Index("ix_opportunities_seen_at_ns", "seen_at_ns"),
)
"""`refusals` is JSON: a list of (reason, detail). `hops` is JSON: the legs of the route; rows of
earlier versions, whose routes all had two, have none. `ended` says why it is open no more; those of
earlier versions do not."""

executions = Table(
    "executions",
    metadata,
    Column("execution_id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("opportunity_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("pair", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("buy_venue", Text, nullable=False),
    Column("sell_venue", Text, nullable=False),
    Column("decided_at_ns", BigInteger, nullable=False),
    Column("closed_at_ns", BigInteger, nullable=False),
    Column("size_base", ExactDecimal, nullable=False),
    Column("profit_quote", ExactDecimal, nullable=False),
    Column("profit_usd", ExactDecimal, nullable=False),
    Column("expected_usd", ExactDecimal, nullable=False),
    Column("residual_base", ExactDecimal, nullable=False),
    Column("residual_sign", SmallInteger, nullable=False),
    Column("plan", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("carry_quote", ExactDecimal),
    Column("correction_quote", ExactDecimal),
    Column("correction_usd", ExactDecimal),
    Column("seq", BigInteger),
    Column("found_usd", ExactDecimal),
    Column("story", Text),
    Column("corrects", Text),
    Column("void", FreeText),
    _engine_id(),
    _money(),
    Index("ix_executions_plan_id", "plan_id"),
    Index("ix_executions_corrects", "corrects"),
    Index("ix_executions_seq", "seq"),
    Index("ix_executions_closed_at_ns", "closed_at_ns"),
    Index("ix_executions_opportunity_id", "opportunity_id"),
    Index(
        "ix_executions_residual",
        "residual_sign",
        sqlite_where=text("residual_sign <> 0"),
        postgresql_where=text("residual_sign <> 0"),
    ),
)
"""`residual_sign` is 0 but in rows of earlier versions, whose leftovers are in no other table;
`residual_base` is of the route's base asset. `size_base` is the larger of what the legs bought and
sold; `plan` is the whole plan as JSON. `seq` counts the executions as they were stored; `story` is
the whole story as JSON. `corrects` is the execution whose orders had fills that were told only
after it had ended, of which a row is. Rows of earlier versions have no `carry_quote`, correction,
`seq`, `found_usd` and story."""

orders = Table(
    "orders",
    metadata,
    Column("client_order_id", Text, primary_key=True),
    Column("execution_id", ForeignKey("executions.execution_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("venue", Text, nullable=False),
    Column("pair", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("size_base", ExactDecimal, nullable=False),
    Column("price_limit", ExactDecimal, nullable=False),
    Column("sent_at_ns", BigInteger, nullable=False),
    Column("arrives_at_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", BigInteger),
    Index("ix_orders_execution_id", "execution_id"),
)
"""`version` is the word of whoever placed it by which it was booked; of paper orders there is
none."""

fills = Table(
    "fills",
    metadata,
    Column("fill_id", Text, primary_key=True),
    Column("client_order_id", ForeignKey("orders.client_order_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("filled_at_ns", BigInteger, nullable=False),
    Column("price", ExactDecimal, nullable=False),
    Column("size_base", ExactDecimal, nullable=False),
    Column("fee_quote", ExactDecimal, nullable=False),
    Column("frame_seq", BigInteger, nullable=False),
    Column("fee_base", ExactDecimal),
    Column("other_fee", ExactDecimal),
    Column("other_fee_asset", Text),
    Column("other_fee_quote", ExactDecimal),
    Column("version", BigInteger),
    Index("ix_fills_client_order_id", "client_order_id"),
    Index("ix_fills_filled_at_ns", "filled_at_ns"),
)
"""`other_fee` is paid in `other_fee_asset`, which is none of the pair's; `other_fee_quote` is what
it was worth when it was told. `size_base` is negative, and so are the fees, where a venue took a
trade back. `version` is the word of whoever placed the order that told it."""

transactions = Table(
    "transactions",
    metadata,
    Column("execution_id", ForeignKey("executions.execution_id"), primary_key=True),
    Column("client_order_id", Text, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("wallet", Text, nullable=False),
    Column("sent_at_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", FreeText),
    Column("flash_fee", ExactDecimal),
    Column("gas_asset", Text),
    Column("gas", ExactDecimal),
    Column("gas_quote", ExactDecimal),
    Column("landed_at_ns", BigInteger),
    Column("block", BigInteger),
    Column("tip", ExactDecimal),
    Column("gains_at", Text),
    Column("version", BigInteger),
    Index("ix_transactions_client_order_id", "client_order_id"),
)
"""Of executions that are one transaction; one that never landed has none of the figures. `gas` is
paid in the chain's own asset, also by one that reverted, which says `why`; its part `tip` comes
out of what was gained. `gains_at` gets the gains, where that is not the wallet; `version` is the
word of the sender by which it was booked."""

swaps = Table(
    "swaps",
    metadata,
    Column("execution_id", ForeignKey("transactions.execution_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("venue", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("amount_in", ExactDecimal, nullable=False),
    Column("amount_out", ExactDecimal, nullable=False),
    Column("frame_seq", BigInteger, nullable=False),
)

truths = Table(
    "truths",
    metadata,
    Column("client_order_id", Text, primary_key=True),
    Column("decided_at_ns", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("plan_id", Text, nullable=False),
    Column("opportunity_id", Text, nullable=False),
    _engine_id(),
    Column("basis", Text, nullable=False),
    Column("chain", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("fate", Text, nullable=False),
    Column("predicted_raw", ExactDecimal, nullable=False),
    Column("simulated_raw", ExactDecimal),
    Column("realised_raw", ExactDecimal, nullable=False),
    Column("predicted_usd", ExactDecimal, nullable=False),
    Column("simulated_usd", ExactDecimal),
    Column("realised_usd", ExactDecimal, nullable=False),
    Column("causes", Text, nullable=False),
    Column("ahead", BigInteger),
    Column("first_ahead", Text, nullable=False),
    Column("block", BigInteger),
    Column("place", BigInteger),
    Column("hash", Text, nullable=False),
    Column("chance", Double),
    Column("truth", Text, nullable=False),
    Index("ix_truths_decided_at_ns", "decided_at_ns"),
    Index("ix_truths_plan_id", "plan_id"),
)
"""What each transaction was predicted, simulated and realised to come to, the newest that was told
of it. `causes` and `truth`, the whole of it, are JSON; `ahead` is how many transactions touched its
pools before it in its block, none where nobody says, `first_ahead` who sent the first one."""

residuals = Table(
    "residuals",
    metadata,
    Column("execution_id", ForeignKey("executions.execution_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("venue", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("held", ExactDecimal, nullable=False),
    Column("carry_asset", Text, nullable=False),
    Column("carry", ExactDecimal, nullable=False),
    _money(),
)
"""What executions left over (owe, if negative); `carry` is what it was filled for, and what it
realised by closing earlier ones. Executions of earlier versions have `residual_sign` instead."""

intents = Table(
    "intents",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("plan_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("intent", Text, nullable=False),
    Column("digest", Text, nullable=False),
    _engine_id(),
    _money(),
    Index("ix_intents_plan_id", "plan_id"),
)
"""What plans were about to send, before anything left. `intent` is JSON: the plan and what was
intended together. A plan with an intent and without an execution was under way when its engine
ended."""

deposits = Table(
    "deposits",
    metadata,
    _number(),
    Column("record_id", Text, nullable=False, unique=True),
    Column("run_id", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("venue", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("added", ExactDecimal, nullable=False),
    Column("started", ExactDecimal, nullable=False),
    Column("started_usd", ExactDecimal, nullable=False),
    Column("digest", Text, nullable=False),
    _engine_id(),
    _money(),
    Column("why", FreeText),
    Column("opened", Text),
    sqlite_autoincrement=True,
)
"""What places of the paper inventory were set to, and what was found on chain of live money that no
transaction of ours brought or took, with the sentence `why`; in order. `opened` (JSON) says on
which chain that was."""

costs = Table(
    "costs",
    metadata,
    Column("record_id", Text, primary_key=True),
    Column("client_order_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("venue", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("amount", ExactDecimal, nullable=False),
    Column("usd", ExactDecimal),
    Column("what", FreeText, nullable=False),
    Column("digest", Text, nullable=False),
    _engine_id(),
    _money(),
    Index("ix_costs_client_order_id", "client_order_id"),
    Index("ix_costs_at_ns", "at_ns"),
)
"""What transactions paid that carry no plan out: a nonce that was filled, a pause. A later word of
the same is the difference, negative where less was paid; `usd` is its worth, none without a
price."""

balances = Table(
    "balances",
    metadata,
    Column("engine_id", Text, primary_key=True, server_default=MAIN),
    Column("basis", Text, primary_key=True),
    Column("money", Text, primary_key=True, server_default=Money.PAPER.value),
    Column("venue", Text, primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("held", ExactDecimal, nullable=False),
)
"""The sum of all deposits and fills by place, added to with each, so that no start has to read
every fill. Fills of earlier versions, which knew no deposits, are not in it."""

approvals = Table(
    "approvals",
    metadata,
    Column("approval_id", Text, primary_key=True),
    _engine_id(),
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
    _engine_id(),
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
    _number(),
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
    _engine_id(),
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

notices = Table(
    "notices",
    metadata,
    _number(),
    Column("record_id", Text, nullable=False, unique=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("ix_notices_at_ns", "at_ns"),
    sqlite_autoincrement=True,
)
"""`notice` is the whole notice as JSON."""

readers = Table(
    "readers",
    metadata,
    Column("reader", Text, primary_key=True),
    Column("delivered_seq", BigInteger, nullable=False),
)
"""How far each reader has confirmed the notices."""

threads = Table(
    "threads",
    metadata,
    Column("chat", Text, primary_key=True),
    Column("thread", Text, primary_key=True),
    Column("message_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
)
"""In which message of a chat something was told, and with which notice: later news edits it."""

chat_states = Table(
    "chat_states",
    metadata,
    Column("chat", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""What a chat keeps over its restarts beside its messages, by names of its own: its alerts."""

task_copies = Table(
    "task_copies",
    metadata,
    Column("task", Text, primary_key=True),
    Column("kind", BigInteger, primary_key=True, autoincrement=False),
    Column("sequence", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""Copies of what background tasks keep, the newest of each; `content` is sealed and compressed, and
empty where there is nothing any more."""

generations = Table(
    "generations",
    metadata,
    Column("role", Text, primary_key=True),
    Column("generation", BigInteger, nullable=False),
    Column("run_id", Text),
)
"""How many times a role began; what an older one of it still sends is refused. `run_id` is the name
that was given to the newest; versions before kept none."""

outcomes = Table(
    "outcomes",
    metadata,
    _number(),
    Column("command_id", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("stored_at_ns", BigInteger, nullable=False),
    Index("ix_outcomes_stored_at_ns", "stored_at_ns"),
    sqlite_autoincrement=True,
)
"""What became of each command, stored with what it changed: one that comes again gets `answer`."""

inbox = Table(
    "inbox",
    metadata,
    Column("source", Text, primary_key=True),
    Column("update_id", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
    Column("stored_at_ns", BigInteger, nullable=False),
    Column("done_at_ns", BigInteger),
    Index(
        "ix_inbox_waiting",
        "source",
        "update_id",
        sqlite_where=text("done_at_ns IS NULL"),
        postgresql_where=text("done_at_ns IS NULL"),
    ),
    Index("ix_inbox_done_at_ns", "done_at_ns"),
)
"""Updates of a chat, kept from before they are confirmed to it until after they were done."""

discoveries = Table(
    "discoveries",
    metadata,
    _number(),
    Column("record_id", Text, nullable=False, unique=True),
    Column("basis", Text, nullable=False),
    Column("task", FreeText, nullable=False),
    Column("agent", FreeText, nullable=False),
    Column("task_run", FreeText, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", FreeText, nullable=False),
    Column("says", FreeText, nullable=False),
    Column("figures", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("advice", Text),
    Column("score", Double, nullable=False),
    Column("holds_s", Double, nullable=False),
    Column("digest", Text, nullable=False),
    Column("found_at_ns", BigInteger, nullable=False),
    Column("seen_at_ns", BigInteger, nullable=False),
    Column("seen_count", BigInteger, nullable=False),
    Column("seen_in", Text, nullable=False),
    Column("expires_at_ns", BigInteger, nullable=False),
    Column("ended_at_ns", BigInteger),
    Column("ended", FreeText),
    Column("use", Text),
    Column("uses_count", BigInteger, nullable=False),
    Column("effect", Text),
    Index(
        "ix_discoveries_in_force",
        "basis",
        "kind",
        "subject",
        unique=True,
        sqlite_where=text("ended_at_ns IS NULL"),
        postgresql_where=text("ended_at_ns IS NULL"),
    ),
    Index("ix_discoveries_kind", "kind", "subject"),
    Index("ix_discoveries_digest", "digest"),
    sqlite_autoincrement=True,
)
"""What background work learned. `figures`, `evidence`, `advice`, `use` (the newest input that the
advice became) and `effect` (as it was measured last) are JSON. One that is neither ended nor
expired is in force; `digest` is of what it says, `seen_in` the record that told the same last. Its
words are in the table `discovery_words`, which is of SQLite's or PostgreSQL's own kind; see
`discovery_words.py`."""

discovery_counts = Table(
    "discovery_counts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)
"""How many discoveries were refused, by reason, left out and pruned."""
