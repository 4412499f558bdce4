"""Keep whose money it is: several engines may keep their books in one ledger."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261129_engine_ids"
down_revision = "20261129_intents"
branch_labels = None
depends_on = None

TABLES = ("executions", "intents", "deposits", "operator_state")
KEY = ["basis", "venue", "asset"]


def upgrade() -> None:
    for table in TABLES:
        op.add_column(
            table, sa.Column("engine_id", sa.Text(), nullable=False, server_default="main")
        )
    if op.get_bind().dialect.name == "sqlite":
        _make_balances(["engine_id", *KEY])
        op.execute(
            "INSERT INTO new_balances (engine_id, basis, venue, asset, held) "
            "SELECT 'main', basis, venue, asset, held FROM balances"
        )
        _replace_balances()
        return
    op.add_column(
        "balances", sa.Column("engine_id", sa.Text(), nullable=False, server_default="main")
    )
    op.drop_constraint("pk_balances", "balances")
    op.create_primary_key("pk_balances", "balances", ["engine_id", *KEY])


def downgrade() -> None:
    # Of several engines only one can stay.
    if op.get_bind().dialect.name == "sqlite":
        _make_balances(KEY)
        op.execute(
            "INSERT INTO new_balances (basis, venue, asset, held) "
            "SELECT basis, venue, asset, held FROM balances WHERE engine_id = 'main'"
        )
        _replace_balances()
    else:
        op.execute("DELETE FROM balances WHERE engine_id <> 'main'")
        op.drop_constraint("pk_balances", "balances")
        op.drop_column("balances", "engine_id")
        op.create_primary_key("pk_balances", "balances", KEY)
    for table in reversed(TABLES):
        op.drop_column(table, "engine_id")


def _make_balances(key: list[str]) -> None:
    columns = [sa.Column(name, sa.Text(), nullable=False) for name in KEY]
    if "engine_id" in key:
        columns.insert(0, sa.Column("engine_id", sa.Text(), nullable=False, server_default="main"))
    op.create_table(
        "new_balances",
        *columns,
        sa.Column("held", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_balances"),
    )


def _replace_balances() -> None:
    op.drop_table("balances")
    op.rename_table("new_balances", "balances")
