"""Keep what leftovers were filled for, what closing them realised, and fees taken in base."""

import sqlalchemy as sa
from alembic import op

from engine.storage.columns import ExactDecimal

revision = "20261129_true_books"
down_revision = "20261121_route_hops"
branch_labels = None
depends_on = None

NEW = (
    ("executions", "carry_quote"),
    ("executions", "correction_quote"),
    ("executions", "correction_usd"),
    ("fills", "fee_base"),
)


def upgrade() -> None:
    for table, column in NEW:
        op.add_column(table, sa.Column(column, ExactDecimal(), nullable=True))


def downgrade() -> None:
    for table, column in reversed(NEW):
        op.drop_column(table, column)
