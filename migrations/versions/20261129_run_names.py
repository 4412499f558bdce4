"""Keep the name that was given to the newest run, so that it is never given again."""

import sqlalchemy as sa
from alembic import op

revision = "20261129_run_names"
down_revision = "20261129_leftovers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generations", sa.Column("run_id", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("generations", "run_id")
