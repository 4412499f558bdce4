"""What was found, decided, sent and came of it: from an opportunity to a trade and its truth."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    text,
)

from engine.storage.columns import ExactDecimal, FreeText
from engine.storage.tables.metadata import engine_id, metadata, money

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
    engine_id(),
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
    engine_id(),
    money(),
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
    engine_id(),
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
    money(),
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
    engine_id(),
    money(),
    Index("ix_intents_plan_id", "plan_id"),
)
"""What plans were about to send, before anything left. `intent` is JSON: the plan and what was
intended together. A plan with an intent and without an execution was under way when its engine
ended."""
