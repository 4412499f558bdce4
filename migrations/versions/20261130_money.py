"""Keep which money was moved, paper or live: all that was stored before is paper."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261130_money"
down_revision = "20261130_truths"
branch_labels = None
depends_on = None

TABLES = ("executions", "residuals", "deposits", "intents")
BEFORE = ["engine_id", "basis", "venue", "asset"]
KEY = ["engine_id", "basis", "money", "venue", "asset"]


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("money", sa.Text(), nullable=False, server_default="paper"))
    op.add_column("deposits", sa.Column("why", sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _make_balances(KEY)
        op.execute(
            "INSERT INTO new_balances (engine_id, basis, money, venue, asset, held) "
            "SELECT engine_id, basis, 'paper', venue, asset, held FROM balances"
        )
        _replace_balances()
        return
    op.add_column("balances", sa.Column("money", sa.Text(), nullable=False, server_default="paper"))
    op.drop_constraint("pk_balances", "balances")
    op.create_primary_key("pk_balances", "balances", KEY)


def downgrade() -> None:
    # What is live has no place there; its executions stay, as all that is stored of money.
    if op.get_bind().dialect.name == "sqlite":
        _make_balances(BEFORE)
        op.execute(
            "INSERT INTO new_balances (engine_id, basis, venue, asset, held) "
            "SELECT engine_id, basis, venue, asset, held FROM balances WHERE money = 'paper'"
        )
        _replace_balances()
    else:
        op.execute("DELETE FROM balances WHERE money <> 'paper'")
        op.drop_constraint("pk_balances", "balances")
        op.drop_column("balances", "money")
        op.create_primary_key("pk_balances", "balances", BEFORE)
    op.drop_column("deposits", "why")
    for table in reversed(TABLES):
        op.drop_column(table, "money")


def _make_balances(key: list[str]) -> None:
    defaults = {"engine_id": "main", "money": "paper"}
    columns = [
        sa.Column(name, sa.Text(), nullable=False, server_default=defaults.get(name))
        for name in key
    ]
    op.create_table(
        "new_balances",
        *columns,
        sa.Column("held", ExactDecimal(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name="pk_balances"),
    )


def _replace_balances() -> None:
    op.drop_table("balances")
    op.rename_table("new_balances", "balances")
