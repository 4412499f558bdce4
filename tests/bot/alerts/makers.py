"""Notices and a chat of plain values for the alerts' rules."""

from dataclasses import dataclass, field
from datetime import UTC

from bot.alerts.machine import AlertMachine, Say
from engine.bus.notices import (
    REFUSED,
    AlertAct,
    Killed,
    LimitHit,
    Notice,
    RecordsDropped,
    RoleAway,
    StampedNotice,
    Unkilled,
    VenueBack,
    VenueLost,
)
from engine.domain.faults import Fault
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.opportunities import Reason
from tests.bot.samples import AT_NS

S = 1_000_000_000
MINUTE = 60 * S
BY = "telegram:4242"


def lost(name: str = "gemini", *, at_ns: int = AT_NS) -> VenueLost:
    return VenueLost(
        at_ns=at_ns, basis=Basis.SANDBOX, venue=VenueId(name), fault=Fault.DISCONNECTED, books=6
    )


def back(name: str = "gemini", *, at_ns: int = AT_NS) -> VenueBack:
    return VenueBack(at_ns=at_ns, basis=Basis.SANDBOX, venue=VenueId(name), lost_ms=4_000)


def limit(*, at_ns: int = AT_NS) -> LimitHit:
    return LimitHit(
        at_ns=at_ns, basis=Basis.SANDBOX, reason=Reason.POSITION_LIMIT, detail="1,000 of 1,000"
    )


def killed(*, engine: str = "", at_ns: int = AT_NS) -> Killed:
    return Killed(at_ns=at_ns, basis=Basis.SANDBOX, by="file", why="test", engine=engine)


def unkilled(*, at_ns: int = AT_NS) -> Unkilled:
    return Unkilled(at_ns=at_ns, basis=Basis.SANDBOX, by="shell of op")


def refused(*, at_ns: int = AT_NS) -> RecordsDropped:
    return RecordsDropped(at_ns=at_ns, basis=Basis.SANDBOX, kind=REFUSED, count=1)


def away(role: str = "ledger", *, at_ns: int = AT_NS) -> RoleAway:
    return RoleAway(at_ns=at_ns, basis=Basis.SANDBOX, role=role, why="no answer")


@dataclass
class Table:
    """A machine, its time, and a chat that delivers at once.

    Attributes:
        said: what was said, in order.
        messages: by id, which alert a message tells of.
    """

    machine: AlertMachine = field(
        default_factory=lambda: AlertMachine(zone=UTC, started_at_ns=AT_NS)
    )
    now_ns: int = AT_NS
    said: list[Say] = field(default_factory=list)
    messages: dict[int, str] = field(default_factory=dict)
    seq: int = 0
    is_chat_away: bool = False

    def feed(self, *notices: Notice, is_own: bool = False) -> None:
        for notice in notices:
            self.seq += 1
            stamped = StampedNotice(seq=self.seq, notice=notice)
            self.machine.take(stamped, now_ns=self.now_ns, is_own=is_own)

    def act(self, act: str, target: str = "", *, until_ns: int = 0, number: int = 0) -> None:
        self.feed(
            AlertAct(
                at_ns=self.now_ns,
                basis=Basis.SANDBOX,
                by=BY,
                act=act,
                target=target,
                until_ns=until_ns,
                number=number,
            )
        )

    def wait(self, seconds: float, *, step_s: float = 1.0) -> list[Say]:
        """Let time pass, and return what was said meanwhile."""
        before = len(self.said)
        end_ns = self.now_ns + int(seconds * S)
        self.look()
        while self.now_ns < end_ns:
            self.now_ns = min(end_ns, self.now_ns + int(step_s * S))
            self.look()
        return self.said[before:]

    def look(self) -> None:
        self.machine.tick(now_ns=self.now_ns)
        while not self.is_chat_away:
            say = self.machine.next_critical(now_ns=self.now_ns)
            say = say or self.machine.next_ordinary(now_ns=self.now_ns)
            if say is None:
                return
            message_id = say.edits or len(self.messages) + 1
            self.messages[message_id] = say.what
            self.said.append(say)
            self.machine.told(say, message_id=message_id, now_ns=self.now_ns)

    def new_messages(self) -> list[Say]:
        return [say for say in self.said if say.edits is None]
