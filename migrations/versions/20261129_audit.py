"""Chain the acts of the operator by hashes; the first link holds what was stored before."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "20261129_audit"
down_revision = "20261129_chat_states"
branch_labels = None
depends_on = None

WHY = "the audit is never changed or deleted"
FIRST_HASH = "0" * 64
BEFORE = "SELECT seq, record_id, at_ns, by, action, digest FROM operator_state ORDER BY seq"


def upgrade() -> None:
    audit = op.create_table(
        "audit",
        sa.Column("position", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_audit"),
        sa.UniqueConstraint("kind", "record_id", name="uq_audit_kind_record_id"),
    )
    op.bulk_insert(audit, [_first_link()])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER keep_audit_{change.lower()} BEFORE {change} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{WHY}'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER keep_audit BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_money()"
    )


def downgrade() -> None:
    op.drop_table("audit")


def _first_link() -> dict[str, object]:
    digest, acts, up_to_seq, at_ns = hashlib.blake2b(digest_size=32), 0, 0, 0
    for row in op.get_bind().execute(sa.text(BEFORE)):
        digest.update("\n".join(str(cell) for cell in row).encode() + b"\n")
        acts, up_to_seq, at_ns = acts + 1, row.seq, row.at_ns
    content = {"acts": acts, "digest": digest.hexdigest(), "up_to_seq": up_to_seq}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    hashed = "\n".join([FIRST_HASH, "1", "beginning", "beginning", str(at_ns), text])
    return {
        "position": 1,
        "kind": "beginning",
        "record_id": "beginning",
        "at_ns": at_ns,
        "content": text,
        "prev_hash": FIRST_HASH,
        "hash": hashlib.blake2b(hashed.encode(), digest_size=32).hexdigest(),
    }
