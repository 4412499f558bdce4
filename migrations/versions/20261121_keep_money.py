"""Let the database itself refuse to change or delete money records."""

from alembic import op

revision = "20261121_keep_money"
down_revision = "20261121_ledger_tables"
branch_labels = None
depends_on = None

KEPT = ("executions", "orders", "fills", "operator_state")
WHY = "money records are never changed or deleted"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in KEPT:
            for change in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER keep_{table}_{change.lower()} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION keep_money() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{WHY}' USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$"
    )
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER keep_{table} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION keep_money()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in KEPT:
            for change in ("update", "delete"):
                op.execute(f"DROP TRIGGER keep_{table}_{change}")
        return
    for table in KEPT:
        op.execute(f"DROP TRIGGER keep_{table} ON {table}")
    op.execute("DROP FUNCTION keep_money()")
