"""Where people's words on approvals and mandates become inputs of the core.

A word that lets the engine do something is in the ledger before it acts, and acts once: what was
answered, or is being answered, is answered no more. A word that only takes away acts at once.
"""

from collections.abc import Callable
from typing import Final, Protocol

from engine.bus.command import Envelope
from engine.bus.permit_reports import ApprovalsReport, MandatesReport, WaitingApproval
from engine.bus.reports import Acknowledged, Declined
from engine.core.inputs.approval_answered import ApprovalAnswered
from engine.core.inputs.approval_delivered import ApprovalDelivered
from engine.core.inputs.mandate_set import MandateGranted, MandateRevoked
from engine.domain.approvals import Approval, ApprovalAct, ApprovalEnd, ApprovalState
from engine.domain.errors import BadValueError
from engine.domain.mandates import Granting as Terms
from engine.domain.mandates import Mandate, mandate_of
from engine.domain.modes import Mode
from engine.domain.permits import shown_digest
from engine.domain.words import mandate_id_of
from engine.operate.clock import Clock
from engine.operate.core_parts import Core

LASTS_S_MAX: Final = 7 * 86_400
MANDATES_MAX: Final = 20
RECENT: Final = 5
LEFT_OUT_SHOWN: Final = 3

GONE: Final = "this waits for nobody any more; /approvals shows what does"

_WORDS: Final = {
    ApprovalState.EXECUTED: "it was approved already",
    ApprovalState.STALE: "it was approved, but the market had left its terms; nothing was done",
    ApprovalState.REJECTED: "it was rejected",
    ApprovalState.HALVED: "half of it was asked for instead",
    ApprovalState.SNOOZED: "its route is not asked for now",
    ApprovalState.EXPIRED: "it expired; nothing was done",
    ApprovalState.COVERED: "a mandate carried its route out",
    ApprovalState.VOID_KILL: "a kill made it void; nothing was done",
    ApprovalState.VOID_MODE: "a pause or another mode made it void; nothing was done",
    ApprovalState.VOID_OFF: "what it trades was switched off; nothing was done",
    ApprovalState.VOID_RESTART: "a restart made it void; nothing was done",
    ApprovalState.VOID_BLIND: "the chat was blind; nothing was done",
    ApprovalState.UNDELIVERED: "it did not reach you in time; nothing was done",
    ApprovalState.OUTBID: "it lost its place; nothing was done",
}

Changed = Acknowledged | Declined


class Engine(Protocol):
    """What the desk needs of whoever answers for the engine."""

    def now(self, text: str) -> Acknowledged:
        """Acknowledge with what is so now."""
        ...

    async def note(
        self, envelope: Envelope, action: str, *, is_looser: bool = False
    ) -> Declined | None:
        """Put an act into the audit and wait until it is durable; return why that failed.

        With `is_looser` the act is not done then, and the audit says that too.
        """
        ...

    def voids(self, at_ns: int) -> str | None:
        """Return why what was asked then may not let the engine do more, None if it may."""
        ...


class Granting(Terms, Protocol):
    """What is asked for with a mandate; see `requests.approvals.GrantMandate`."""

    @property
    def is_confirmed(self) -> bool:
        """Whether the second step was taken."""
        ...


class ApprovalDesk:
    """Answers for one engine.

    Attributes:
        on_answer: is told that a person answered, so that all else makes way for what follows.
    """

    def __init__(self, core: Core, engine: Engine, clock: Clock) -> None:
        self.on_answer: Callable[[], None] = lambda: None
        self._core = core
        self._engine = engine
        self._clock = clock
        self._under_way: set[str] = set()

    def report(self) -> ApprovalsReport:
        """Return what waits and what ended lately."""
        approvals, book = self._core.decider.permits.approvals, self._core.journal.permits
        left_out = approvals.left_out.since(self._clock())
        return ApprovalsReport(
            at_ns=self._clock(),
            mode=self._core.control.mode,
            basis=self._core.basis,
            waiting=[
                WaitingApproval(approval=one, nonce=book.nonce_of(one.approval_id))
                for one in approvals.pending.values()
            ],
            ended=[*book.ended.values()][: -RECENT - 1 : -1],
            left_out=[*left_out[:LEFT_OUT_SHOWN]],
            left_out_count=len(left_out),
        )

    def mandates(self) -> MandatesReport:
        """Return what is granted."""
        return MandatesReport(
            at_ns=self._clock(),
            mode=self._core.control.mode,
            basis=self._core.basis,
            open=[*self._core.decider.permits.mandates.open.values()],
        )

    def shown(self, nonce: str) -> None:
        """Learn that a chat has shown what a button is of; of another engine's it is no matter."""
        approval = self._core.journal.permits.find(nonce)
        if approval is not None:
            said = ApprovalDelivered(approval_id=approval.approval_id)
            self._core.hot_path.command(said, self._clock())

    async def answer(self, envelope: Envelope, nonce: str, act: ApprovalAct) -> Changed:
        """Take a person's word on a plan that waits."""
        approval = self._core.journal.permits.find(nonce)
        if approval is None:
            return Declined(why=GONE)
        refusal = self._refusal(approval, envelope, act)
        if refusal is not None:
            return Declined(why=refusal)
        self.on_answer()
        if act in {ApprovalAct.REJECT, ApprovalAct.SNOOZE}:
            self._say(approval, act, envelope.by)
            await self._engine.note(envelope, _action(approval, act))
        else:
            self._under_way.add(approval.approval_id)
            try:
                failed = await self._engine.note(envelope, _action(approval, act), is_looser=True)
                if failed is not None:
                    return failed
                # While the ledger stored it anything may have happened: the core looks again.
                void = self._engine.voids(envelope.at_ns)
                if void is not None:
                    return Declined(why=void)
                self._say(approval, act, envelope.by)
            finally:
                self._under_way.discard(approval.approval_id)
        return self._outcome(approval, act)

    def _refusal(self, approval: Approval, envelope: Envelope, act: ApprovalAct) -> str | None:
        end = self._core.journal.permits.ended.get(approval.approval_id)
        if end is not None:
            return _told(end)
        if act in {ApprovalAct.REJECT, ApprovalAct.SNOOZE}:
            return None
        if approval.approval_id in self._under_way:
            return "it is being answered already"
        if act is ApprovalAct.APPROVE and envelope.by in approval.approved_by:
            return "you have approved it already; another person has to"
        return self._engine.voids(envelope.at_ns)

    def _say(self, approval: Approval, act: ApprovalAct, by: str) -> None:
        self.on_answer()  # again, as the ledger may have taken its time
        said = ApprovalAnswered(
            approval_id=approval.approval_id, act=act, by=by, digest=approval.digest
        )
        self._core.hot_path.command(said, self._clock())

    def _outcome(self, approval: Approval, act: ApprovalAct) -> Changed:
        """Say what the core made of it."""
        end = self._core.journal.permits.ended.get(approval.approval_id)
        if end is None:
            return self._engine.now("approved by you; another person has to approve it too")
        wanted = {
            ApprovalAct.APPROVE: (ApprovalState.EXECUTED, "approved, and on its way"),
            ApprovalAct.REJECT: (ApprovalState.REJECTED, "rejected"),
            ApprovalAct.HALVE: (ApprovalState.HALVED, "half of it is asked for, if that pays"),
            ApprovalAct.SNOOZE: (ApprovalState.SNOOZED, "this route is not asked for 15 min"),
        }
        state, words = wanted[act]
        return self._engine.now(words) if end.state is state else Declined(why=_told(end))

    async def grant(self, envelope: Envelope, asked: Granting) -> Changed:
        """Grant a mandate once it was confirmed and is durable."""
        refusal = self._grant_refusal(envelope, asked)
        if refusal is not None:
            return Declined(why=refusal)
        if not asked.is_confirmed:
            return Declined(
                why="within it, no trade is asked for any more", needs_confirmation=True
            )
        granted = f"mandate granted: {_scope(asked)}"[:200]
        failed = await self._engine.note(envelope, granted, is_looser=True)
        if failed is not None:
            return failed
        # While the ledger stored it anything may have happened.
        refusal = self._grant_refusal(envelope, asked)
        if refusal is not None:
            return Declined(why=refusal)
        mandate = self._mandate(envelope, asked)
        self._core.hot_path.command(MandateGranted(mandate=mandate), self._clock())
        return self._engine.now(f"mandate {mandate.mandate_id} holds")

    def _grant_refusal(self, envelope: Envelope, asked: Granting) -> str | None:
        mode = self._core.control.mode
        if mode is not Mode.APPROVE:
            return f"mandates hold in mode approve; the mode is {mode}"
        if len(self._core.decider.permits.mandates.open) >= MANDATES_MAX:
            return f"{MANDATES_MAX} mandates are open; revoke one first"
        if not 0 < asked.lasts_s <= LASTS_S_MAX:
            return f"a mandate lasts 1 s to {LASTS_S_MAX // 86_400} days"
        try:
            self._mandate(envelope, asked).check()
        except BadValueError as error:
            return str(error)
        return self._engine.voids(envelope.at_ns) if asked.is_confirmed else None

    async def revoke(self, envelope: Envelope, mandate_id: str) -> Changed:
        """Take a mandate back, or all; at once, then for the record."""
        opened = self._core.decider.permits.mandates.open
        if mandate_id and mandate_id not in opened:
            return self._engine.now(f"there is no mandate {mandate_id}")
        named = [mandate_id] if mandate_id else [*opened]
        revoked = MandateRevoked(mandate_id=mandate_id, by=envelope.by)
        self._core.hot_path.command(revoked, self._clock())
        await self._engine.note(envelope, f"mandates revoked: {', '.join(named) or 'none'}"[:200])
        return self._engine.now(f"{len(named)} mandates revoked")

    def _mandate(self, envelope: Envelope, asked: Granting) -> Mandate:
        name = mandate_id_of(envelope.id)
        return mandate_of(asked, name, by=envelope.by, at_ns=self._clock())


def _action(approval: Approval, act: ApprovalAct) -> str:
    return f"{act} {approval.approval_id} terms {shown_digest(approval.digest)}"


def _told(end: ApprovalEnd) -> str:
    words = _WORDS[end.state]
    by = f" by {end.by}" if end.by else ""
    return f"{words}{by}{f' ({end.why})' if end.why else ''}"


def _scope(asked: Granting) -> str:
    named = f" {asked.scope.name}" if asked.scope.name else ""
    return (
        f"{asked.scope.kind}{named}, {asked.each_usd_max:f} USD each, {asked.total_usd_max:f} USD"
        f" in all, {asked.edge_bps_min:f} bps, {asked.lasts_s} s"
    )
