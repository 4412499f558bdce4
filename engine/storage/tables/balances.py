"""What is where of money that no trade moved, and what all of it adds up to."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from engine.domain.engines import MAIN
from engine.domain.modes import Money
from engine.storage.columns import ExactDecimal, FreeText
from engine.storage.tables.metadata import engine_id, metadata, money, number

deposits = Table(
    "deposits",
    metadata,
    number(),
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
    engine_id(),
    money(),
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
    engine_id(),
    money(),
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
