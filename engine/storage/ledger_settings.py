"""What the ledger needs to be told; `engine.settings` fills it in."""

from dataclasses import dataclass, field
from pathlib import Path

from engine.domain.destinations import Destination
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.domain.rebalancing import TransferTerms

DATABASE_NAME = "ledger.sqlite3"
BACKUPS_NAME = "backups"
LEASE_NAME = "ledger.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSettings:
    """Settings of the ledger.

    Attributes:
        data_dir: directory of the lock, the backups and, by default, the SQLite file.
        url: database; empty for SQLite in `data_dir`; ``sqlite:///…`` or ``postgresql://…``.
        basis: basis of this installation's figures: profit totals, the daily loss and leftovers
            count executions of this basis only; None counts all alike.
        market_note: the note on the market that reports on stored items carry.
        retention_days: age at which opportunities, read notices and done chat updates go.
        unread_days: age at which notices go that some reader never confirmed.
        daily_at_s: second of the UTC day from which on the day before is reported, None for never.
        retention_s: interval of the retention job.
        backup_s: interval of the backup job (SQLite only).
        backups_kept: newest backups that are kept.
        jobs_max: requests that may wait for the database; more wait `queue_s`, then are refused.
        attempts_max: runs of one transaction when a PostgreSQL connection is lost.
        transaction_s: longest run of one PostgreSQL transaction; then its outcome is unknown and
            it is run again.
        close_s: time to finish accepted requests when closing.
        log_bytes: room on disk that SQLite's log has from the start; see `durable_file`.
        transfers: what a person's transfers between places cost and take.
        destinations: addresses that a proposal of one may name.
    """

    data_dir: Path
    url: str = ""
    basis: Basis | None = None
    market_note: str = ""
    retention_days: int = 30
    unread_days: int = 365
    daily_at_s: int | None = None
    retention_s: int = 3_600
    backup_s: int = 900
    backups_kept: int = 24
    jobs_max: int = 1_024
    queue_s: float = 10.0
    attempts_max: int = 6
    transaction_s: float = 15.0
    close_s: float = 10.0
    log_bytes: int = 0
    transfers: TransferTerms = field(default_factory=TransferTerms)
    destinations: tuple[Destination, ...] = ()

    def __post_init__(self) -> None:
        for name in (
            "retention_days",
            "unread_days",
            "retention_s",
            "backup_s",
            "backups_kept",
            "jobs_max",
            "queue_s",
            "attempts_max",
            "transaction_s",
            "close_s",
        ):
            if getattr(self, name) <= 0:
                raise BadValueError(f"ledger {name} is {getattr(self, name)}; it must be above 0")

    @property
    def backups_dir(self) -> Path:
        """Directory of the backups."""
        return self.data_dir / BACKUPS_NAME
