"""One transfer led on by what its venues answer and list; pure, but for the table it keeps it in.

What is not known ends by proof alone: its source lists it, it is credited, it came back, or whole
listings do not have it at a time when it would be listed and could come no more.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from engine.domain.transfer_life import (
    ENDED,
    Decision,
    DecisionEvent,
    Part,
    SendEvent,
    SendState,
    TransferLife,
    TransferOrder,
)
from engine.domain.units import NS_PER_MS
from engine.domain.withdrawals import (
    DepositShown,
    WithdrawalShown,
    WithdrawalStage,
    is_same_transaction,
)
from engine.gateways.answers import NotPlaced, Unclear
from engine.gateways.withdrawing import WithdrawalAnswer, WithdrawalProof, WithdrawalTaken
from engine.trading.transfer_kept import (
    KeptTransfer,
    SendFacts,
    copy_of,
    request_of,
    with_facts,
)
from engine.trading.transfer_table import TransferTable
from engine.trading.transfer_words import with_age, with_news

CLOCKS_MS: Final = 120_000
"""By so much a venue's clock may be off ours where what it did in a time is listed."""

RECENT: Final = 500
"""Transfers of which the venues' ids are looked through."""


class Waiting(StrEnum):
    """What a transfer waits for."""

    DELAY = "delay"
    TURN = "turn"
    VENUES = "venues"
    NOTHING = "nothing"


@dataclass(slots=True)
class Absence:
    """How far the proof has come that a send never was taken, in this life of the process.

    Attributes:
        sent_ms: when it may have left last, by a clock that nobody sets.
        listings: whole ones in a row without it, each begun when it would have been listed.
    """

    sent_ms: int
    listings: int = 0


@dataclass(slots=True, kw_only=True)
class TransferDesk:
    """See the module.

    Attributes:
        now_ms: a clock that nobody sets; `wall_ns` the one that says the time.
        changed: is told of each transfer that was kept, with what was known before.
        absences: by transfer and part.
    """

    table: TransferTable
    now_ms: Callable[[], int]
    wall_ns: Callable[[], int]
    changed: Callable[[KeptTransfer | None, KeptTransfer], None] = lambda _before, _now: None
    absences: dict[tuple[str, Part], Absence] = field(default_factory=dict)

    # ---- a person decides

    def take_on(self, order: TransferOrder, *, engine: str, by: str) -> KeptTransfer:
        """Take a transfer on that a person allowed; the same again changes nothing."""
        known = self.table.get(order.transfer_id)
        if known is not None:
            return known
        now_ns = self.wall_ns()
        life = TransferLife(order=order)
        life.decide(DecisionEvent.APPROVED, now_ns)
        kept = KeptTransfer(life=life, engine=engine, by=by, taken_on_ns=now_ns)
        return self._keep(None, kept)

    def cancel(self, transfer_id: str, why: str) -> KeptTransfer | None:
        """Send nothing more of it; what has left is followed to its end."""
        kept = self.table.get(transfer_id)
        if kept is None or kept.ended_ns:
            return kept
        now = msgspec.structs.replace(copy_of(kept), why=kept.why or why)
        now.life.decide(DecisionEvent.CANCELLED, self.wall_ns())
        return self._keep(kept, now)

    def why_stopped(self, transfer_id: str) -> str:
        """Say why nothing more of it is sent; empty if nobody stopped it."""
        kept = self.table.get(transfer_id)
        assert kept is not None
        is_stopped = kept.life.decision is Decision.CANCELLED
        return (kept.why or "it was stopped") if is_stopped else ""

    # ---- time

    def resume(self) -> None:
        """Take up what is on disk: what was about to leave may have left up to now."""
        for kept in self.table.under_way():
            now = copy_of(kept)
            for part, send in kept.life.sends.items():
                if send.state in ENDED:
                    continue
                self.absences[kept.transfer_id, part] = Absence(self.now_ms())
                if send.state is SendState.INTENDED:
                    now = self._unclear(now, part, "whoever sent it was ended")
            self._keep(kept, now)

    def warn(self, transfer_id: str) -> None:
        """Tell what is unknown, or under way, for long, with its age; each age once."""
        kept = self.table.get(transfer_id)
        if kept is not None and not kept.ended_ns:
            now = with_age(kept, at_ns=self.wall_ns())
            if now != kept:
                self.table.keep(kept, now)
                self.changed(kept, now)

    def look(self, transfer_id: str) -> Waiting:
        """Say what it waits for; that its delay is over is kept."""
        kept = self.table.get(transfer_id)
        if kept is None or kept.ended_ns:
            return Waiting.NOTHING
        now = copy_of(kept)
        now.life.decide(DecisionEvent.WAITED, self.wall_ns())
        now = self._keep(kept, now)
        if now.ended_ns:
            return Waiting.NOTHING
        if any(send.state not in ENDED for send in now.life.sends.values()):
            return Waiting.VENUES
        return Waiting.TURN if now.life.next_part is not None else Waiting.DELAY

    # ---- a send leaves

    def intend(self, transfer_id: str, *, named: str) -> tuple[KeptTransfer, Part]:
        """Make the next send durable; returns once no loss of power can lose it.

        Raises:
            BadValueError: none is next.
        """
        kept = self.table.get(transfer_id)
        assert kept is not None
        now = copy_of(kept)
        part = now.life.next_part
        now.life.intend(part or Part.TEST)
        assert part is not None
        facts = SendFacts(intended_ms=self._wall_ms(), named=named)
        now = msgspec.structs.replace(now, facts={**now.facts, part: facts})
        self.absences[transfer_id, part] = Absence(self.now_ms())
        return self._keep(kept, now), part

    def withheld(self, transfer_id: str, part: Part, why: str) -> None:
        """Learn that it is not going to leave."""
        self._learn(transfer_id, part, SendEvent.WITHHELD, why=why)

    def answered(self, transfer_id: str, part: Part, answer: WithdrawalAnswer | str) -> None:
        """Learn what came of a send that left: an answer, or why there is none."""
        kept = self.table.get(transfer_id)
        assert kept is not None
        now = copy_of(kept)
        now.life.learn(part, SendEvent.RELEASED)
        match answer:
            case WithdrawalTaken(venue_id=venue_id):
                now = with_facts(now, part, venue_id=venue_id)
            case NotPlaced(code=code, why=why):
                now.life.learn(part, SendEvent.REFUSED)
                now = with_facts(now, part, why=f"{kept.source} refused it: {code}: {why}")
            case Unclear(why=why):
                now = self._unclear(now, part, why)
            case str():
                now = self._unclear(now, part, answer)
        self._keep(kept, now)

    # ---- what is listed

    def listed(
        self,
        transfer_id: str,
        part: Part,
        shown: Sequence[WithdrawalShown],
        proof: WithdrawalProof,
        *,
        began_ms: int,
    ) -> None:
        """Learn what the source lists, all of it, of a reading that began at `began_ms`."""
        kept = self.table.get(transfer_id)
        assert kept is not None
        found = self._ours(kept, part, shown, proof)
        now = copy_of(kept)
        if len(found) > 1:
            what = f"{kept.source} lists {len(found)} withdrawals that may be its {part}"
            now.life.alarms.extend([] if what in now.life.alarms else [what])
        if not found:
            self._keep(kept, self._absent(now, part, proof, began_ms))
            return
        one = found[0]
        now.life.learn(part, SendEvent.SHOWN)
        now = with_facts(
            now,
            part,
            venue_id=one.venue_id,
            tx_id=one.tx_id or now.facts[part].tx_id,
            fee=one.fee,
            is_taken=True,
            unknown_since_ns=0,
        )
        if not one.is_of(request_of(kept, part)):
            what = f"{kept.source} lists its {part} as {one.amount:f} to {one.address[:60]}"
            now.life.alarms.extend([] if what in now.life.alarms else [what])
        if one.stage is WithdrawalStage.BACK:
            now.life.learn(part, SendEvent.RETURNED, now.life.sends[part].amount)
            now = with_facts(now, part, why=f"{kept.source} sent it back: {one.why or one.stage}")
        self._keep(kept, now)

    def came(self, transfer_id: str, part: Part, shown: Iterable[DepositShown]) -> None:
        """Learn what the target lists: its transaction, once it is credited."""
        kept = self.table.get(transfer_id)
        assert kept is not None
        for one in shown:
            is_ours = is_same_transaction(one.tx_id, kept.facts[part].tx_id)
            if is_ours and one.asset == kept.asset and one.is_credited:
                now = copy_of(kept)
                now.life.learn(part, SendEvent.CREDITED, one.amount)
                self._keep(kept, now)
                return

    # ---- below

    def _ours(
        self,
        kept: KeptTransfer,
        part: Part,
        shown: Iterable[WithdrawalShown],
        proof: WithdrawalProof,
    ) -> list[WithdrawalShown]:
        facts, request = kept.facts[part], request_of(kept, part)
        if facts.venue_id:
            return [one for one in shown if one.venue_id == facts.venue_id]
        if proof.has_own_id:
            return [one for one in shown if one.wire_id == request.wire_id]
        others = self._others_ids(kept, part)
        return [
            one
            for one in shown
            if one.is_of(request)
            and one.venue_id not in others
            and one.at_ms >= facts.intended_ms - CLOCKS_MS
        ]

    def _others_ids(self, kept: KeptTransfer, part: Part) -> Collection[str]:
        """Return the source's ids of all other sends of ours that are known."""
        found = {
            facts.venue_id
            for one in self.table.newest(RECENT)
            for of, facts in one.facts.items()
            if one.source == kept.source and (one.transfer_id, of) != (kept.transfer_id, part)
        }
        return found - {""}

    def _absent(
        self, now: KeptTransfer, part: Part, proof: WithdrawalProof, began_ms: int
    ) -> KeptTransfer:
        if now.life.sends[part].state is not SendState.UNKNOWN:
            return now
        absence = self.absences.setdefault((now.transfer_id, part), Absence(self.now_ms()))
        if began_ms < absence.sent_ms + proof.late_ms_max + proof.lag_ms_max:
            return now
        absence.listings += 1
        if absence.listings < proof.absences_min:
            return now
        now.life.learn(part, SendEvent.ABSENT)
        why = f"{now.source} never took it: {absence.listings} whole listings do not have it"
        return with_facts(now, part, why=why, unknown_since_ns=0)

    def _unclear(self, now: KeptTransfer, part: Part, why: str) -> KeptTransfer:
        now.life.learn(part, SendEvent.UNCLEAR)
        since_ns = now.facts[part].unknown_since_ns or self.wall_ns()
        return with_facts(now, part, unknown_since_ns=since_ns, why=why[:200])

    def _learn(self, transfer_id: str, part: Part, event: SendEvent, *, why: str) -> None:
        kept = self.table.get(transfer_id)
        assert kept is not None
        now = with_facts(copy_of(kept), part, why=why[:300])
        now.life.learn(part, event)
        self._keep(kept, now)

    def _keep(self, before: KeptTransfer | None, now: KeptTransfer) -> KeptTransfer:
        if not now.ended_ns and now.life.is_ended:
            now = msgspec.structs.replace(now, ended_ns=self.wall_ns())
        if now == before:
            return now
        now = with_news(before, now, at_ns=self.wall_ns())
        self.table.keep(before, now)
        self.changed(before, now)
        return now

    def _wall_ms(self) -> int:
        return self.wall_ns() // NS_PER_MS
