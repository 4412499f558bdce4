"""The audits of one link's rows: whose turn it is, what is asked for, what becomes of an answer.

What a venue's answer proves about a row is the venue's own: its `Auditor` compares. The feed keeps
the changes of a row in its log while one of these is on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Generic, Protocol, TypeVar

from engine.connectors.audit_queue import RECHECK_NS, RETRY_NS, AuditQueue
from engine.connectors.link import UNREADABLE, Delta, Link, Row
from engine.domain.faults import Fault
from engine.ports import Action, Fetch

KEY: Final = "audit:"


class Verdict(Enum):
    """What is known of a row now."""

    READY = auto()
    """A book may be fetched and compared with it."""
    WAITING = auto()
    PASSED = auto()
    SUSPECT = auto()
    """It differs where it may be by chance; the next comparison tells."""
    LOST = auto()


@dataclass(slots=True)
class Audit:
    """A live row whose changes are logged; a venue adds what it needs to know of it."""

    asked_at_ns: int = 0
    is_fetching: bool = False


A = TypeVar("A", bound=Audit)


class Auditor(Protocol[A]):
    """What differs from venue to venue."""

    @property
    def ahead_ns(self) -> int:
        """How long before its first audit a row's log begins."""
        ...

    def path_of(self, row: Row) -> str:
        """Return the REST path of a row's book."""
        ...

    def begin(self, row: Row, at_ns: int) -> A:
        """Begin with a row, whose log is empty from here on."""
        ...

    def review(self, row: Row, audit: A, log: list[Delta], at_ns: int) -> Verdict:
        """Keep the log short; say how a row is that no book is being fetched for."""
        ...

    def compare(
        self, row: Row, audit: A, log: list[Delta], payload: bytes, at_ns: int
    ) -> Verdict | Fault:
        """Compare a row with a fetched book; a fault is that of an answer of no use.

        Raises:
            Exception: one of `UNREADABLE`, for an answer that cannot be read.
        """
        ...


class Audits(Generic[A]):
    """All audits of one link; a row that is not its venue's book is made stale."""

    def __init__(self, link: Link, auditor: Auditor[A]) -> None:
        self._link = link
        self._auditor = auditor
        self._queue = AuditQueue(link)
        self._log_max = link.limits.buffered_frames_max
        self._rows = link.by_wire
        self._audits: dict[str, A] = {}

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Keep the logs of live rows, conclude audits, and fetch for the row whose turn it is."""
        ready = [row for row in self._link.rows if self._is_ready(row, at_ns)]
        row = self._queue.take(ready, at_ns)
        if row is None:
            return ()
        audit = self._audits[row.wire]
        audit.is_fetching = True
        audit.asked_at_ns = at_ns
        return (Fetch(key=f"{KEY}{row.wire}", path=self._auditor.path_of(row)),)

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Row | None:
        """Compare a fetched book; return the row if it has been made stale."""
        row, audit = self._asking(key)
        if row is None or audit is None:
            return None
        audit.is_fetching = False
        if not row.is_live or row.log is None:
            self._forget(row)
            return None
        try:
            verdict = self._auditor.compare(row, audit, row.log, payload, at_ns)
        except UNREADABLE:
            verdict = Fault.BAD_SHAPE
        if isinstance(verdict, Fault):
            self._failed(row, verdict, at_ns)
            return None
        return self._obey(row, audit, verdict, at_ns)

    def fetch_failed(self, key: str, at_ns: int) -> None:
        """Learn that a book cannot be had now; the audit tries again."""
        row, audit = self._asking(key)
        if row is not None and audit is not None:
            audit.is_fetching = False
            self._failed(row, Fault.FETCH_FAILED, at_ns)

    def _is_ready(self, row: Row, at_ns: int) -> bool:
        audit, log = self._audits.get(row.wire), row.log
        is_lost = audit is not None and (log is None or len(log) > self._log_max)
        if not row.is_live or is_lost:
            self._forget(row)  # the row went stale meanwhile, or has changed too much
            return False
        if audit is None or log is None:
            if at_ns + self._auditor.ahead_ns >= self._queue.due_at_ns(row, at_ns):
                row.log = []
                self._audits[row.wire] = self._auditor.begin(row, at_ns)
            return False
        if audit.is_fetching:
            return False
        verdict = self._auditor.review(row, audit, log, at_ns)
        self._obey(row, audit, verdict, at_ns)
        return verdict is Verdict.READY

    def _obey(self, row: Row, audit: A, verdict: Verdict, at_ns: int) -> Row | None:
        match verdict:
            case Verdict.LOST:
                self._forget(row)
                self._link.drop(row, Fault.AUDIT_DIVERGED, at_ns)
                return row
            case Verdict.SUSPECT:
                self._queue.recheck(row, audit.asked_at_ns + RECHECK_NS)
            case Verdict.PASSED:
                self._queue.passed(row, audit.asked_at_ns, at_ns)
            case Verdict.READY | Verdict.WAITING:
                pass
        return None

    def _asking(self, key: str) -> tuple[Row | None, A | None]:
        wire = key.removeprefix(KEY)
        audit = self._audits.get(wire)
        return self._rows.get(wire), audit if audit is not None and audit.is_fetching else None

    def _failed(self, row: Row, fault: Fault, at_ns: int) -> None:
        self._link.sink.count(self._link.venue, fault)
        self._queue.recheck(row, at_ns + RETRY_NS)

    def _forget(self, row: Row) -> None:
        self._audits.pop(row.wire, None)
        self._queue.forget(row)
        row.log = None
