"""Gates: limits that are either open or shut, whatever the opportunity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.decide.circumstances import Circumstances
from engine.decide.exchanges import Exchanges
from engine.decide.limit_set import Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.decide.off_list import OffList
from engine.decide.switches import Switches
from engine.domain.mixed_routes import pool_run, why_not_traded
from engine.domain.modes import Mode
from engine.domain.opportunities import Hop, Reason


@dataclass(slots=True)
class KillLimit:
    """The kill latch; the decider asks it a last time when the plan is ready.

    Attributes:
        is_killed: a look that is recorded: decisions only.
        shows_killed: a look that is not: reports only, which must not change the run.
    """

    is_killed: Callable[[], bool]
    shows_killed: Callable[[], bool]
    name: str = "kill latch"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.KILLED,)
    limit: str = "clear"

    @classmethod
    def make(cls, run: Circumstances) -> "KillLimit":
        """Make it for a run."""
        return cls(run.is_killed, run.shows_killed)

    def used(self, at_ns: int) -> str:
        """Say whether the latch is set."""
        del at_ns
        return "set" if self.shows_killed() else "clear"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse while the latch is set."""
        del draft, at_ns
        if not self.is_killed():
            return None
        return Finding(reason=Reason.KILLED, detail="the kill latch is set")


@dataclass(slots=True)
class PauseLimit:
    """Paused by the operator."""

    switches: Switches
    name: str = "pause"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.PAUSED,)
    limit: str = "trading"

    @classmethod
    def make(cls, run: Circumstances) -> "PauseLimit":
        """Make it for a run."""
        return cls(run.switches)

    def used(self, at_ns: int) -> str:
        """Say whether trading is paused."""
        del at_ns
        return "paused" if self.switches.is_paused else "trading"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse while paused."""
        del draft, at_ns
        if not self.switches.is_paused:
            return None
        return Finding(reason=Reason.PAUSED, detail="trading is paused")


@dataclass(slots=True)
class ModeLimit:
    """In observe mode nothing is planned, in live mode only what is really sent or placed."""

    switches: Switches
    exchanges: Exchanges
    why_not_mixed: Callable[[Sequence[Hop]], str]
    name: str = "mode"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.OBSERVE_ONLY, Reason.NO_EXECUTOR)
    limit: str = "paper"

    @classmethod
    def make(cls, run: Circumstances) -> "ModeLimit":
        """Make it for a run."""
        return cls(run.switches, run.exchanges, run.why_not_mixed)

    def used(self, at_ns: int) -> str:
        """Name the mode."""
        del at_ns
        return self.switches.mode.value

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse in observe mode, and in live mode what nobody sends or places."""
        del at_ns
        if self.switches.mode is Mode.LIVE and (why := self._why_not_live(draft)):
            return Finding(reason=Reason.NO_EXECUTOR, detail=why)
        if self.switches.mode is not Mode.OBSERVE:
            return None
        return Finding(reason=Reason.OBSERVE_ONLY, detail="observe mode makes no plans")

    def _why_not_live(self, draft: Draft) -> str:
        if draft.opportunity.is_on_one_chain:
            return "" if self.switches.sends else "live mode sends no transactions here"
        hops = draft.opportunity.hops
        if pool_run(hops) is not None:
            return self.why_not_mixed(hops)
        if self.exchanges.takes(hops):
            return ""
        if not self.exchanges.enabled:
            return "live mode sends transactions alone; orders at books are on paper"
        others = sorted({hop.venue for hop in hops} - self.exchanges.enabled)
        return f"orders at {', '.join(others)} are on paper; live mode makes none there"


@dataclass(slots=True)
class OffLimit:
    """A route through what the operator has switched off is watched only."""

    off: OffList
    name: str = "switched off"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.SWITCHED_OFF,)
    limit: str = "nothing"

    @classmethod
    def make(cls, run: Circumstances) -> "OffLimit":
        """Make it for a run."""
        return cls(run.off)

    def used(self, at_ns: int) -> str:
        """Say how much is off."""
        del at_ns
        return str(len(self.off.all)) if self.off.all else "nothing"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse a route of which a leg's venue or pair is off."""
        del at_ns
        if not self.off.all:
            return None
        what = self.off.of_route(draft.opportunity.hops)
        return Finding(reason=Reason.SWITCHED_OFF, detail=f"{what} is off") if what else None


@dataclass(slots=True)
class ChatLimit:
    """In mode approve nothing is planned while no chat reaches the operator."""

    switches: Switches
    name: str = "chat"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.CHAT_BLIND,)
    limit: str = "sees you"

    @classmethod
    def make(cls, run: Circumstances) -> "ChatLimit":
        """Make it for a run."""
        return cls(run.switches)

    def used(self, at_ns: int) -> str:
        """Say whether a chat reaches the operator."""
        del at_ns
        return "blind" if self.switches.is_blind else "sees you"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse what a person would have to allow, or to stop, while nobody is reached."""
        del draft, at_ns
        if not self.switches.is_blind or self.switches.mode is not Mode.APPROVE:
            return None
        return Finding(
            reason=Reason.CHAT_BLIND,
            detail="the chat is blind: nothing is asked, and mandates are held",
        )


@dataclass(slots=True)
class ExecutorLimit:
    """What is traded: books, pools of one chain that stand together, or both."""

    name: str = "no executor"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.NO_EXECUTOR,)
    limit: str = "one transaction"

    @classmethod
    def make(cls, run: Circumstances) -> "ExecutorLimit":
        """Make it for a run."""
        del run
        return cls()

    def used(self, at_ns: int) -> str:
        """Say what becomes of such a route; how many there were is its count of refusals."""
        del at_ns
        return "watched only"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse what is neither orders at books, nor one transaction, nor both."""
        del at_ns
        hops = draft.opportunity.hops
        why = why_not_traded(hops)
        if not why:
            return None
        return Finding(
            reason=Reason.NO_EXECUTOR,
            detail=f"a route of {len(hops)} legs is watched, not traded: {why}",
        )


@dataclass(slots=True)
class LedgerLimit:
    """Nothing is traded that could not be recorded.

    Attributes:
        is_behind: a look that is recorded: decisions only.
        shows_behind: a look that is not: reports only.
    """

    is_behind: Callable[[], bool]
    shows_behind: Callable[[], bool]
    name: str = "ledger"
    unit: str = ""
    term: ClassVar[Term | None] = None
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.LEDGER_BEHIND,)
    limit: str = "keeping up"

    @classmethod
    def make(cls, run: Circumstances) -> "LedgerLimit":
        """Make it for a run."""
        return cls(run.is_ledger_behind, run.shows_ledger_behind)

    def used(self, at_ns: int) -> str:
        """Say whether the ledger keeps up."""
        del at_ns
        return "behind" if self.shows_behind() else "keeping up"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Refuse while the ledger is behind."""
        del draft, at_ns
        if not self.is_behind():
            return None
        return Finding(reason=Reason.LEDGER_BEHIND, detail="the ledger is behind with its records")
