"""What persons allowed, as the chat passed it on: approvals once each, mandates as far as they go.

The signer's own record, apart from the engine's. It is in memory, so that a restart makes it void,
but for who went live, which is in the journal. A kill, and another mode, void what was said before.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.domain.errors import BadValueError
from engine.domain.mandates import PLANS_MAX, Mandate
from engine.domain.plans import MixedPlan, Plan, digest_of_plan
from engine.domain.units import NS_PER_S
from engine.domain.words import (
    Approved,
    LetRun,
    Mandated,
    SealedWord,
    TransferAllowed,
    WentLive,
    opened_word,
)
from engine.signing.gains import net_edge_bps
from engine.signing.journal import Journal
from engine.signing.let_run import LetRuns

FRESH_NS: Final = 60 * NS_PER_S
"""A word that took longer to come is none: somebody kept it."""

KEPT_NS: Final = 900 * NS_PER_S
"""An approval is looked up so long; its own terms end it much sooner."""

KEPT_MAX: Final = 1_000


def no_transfers(_word: TransferAllowed, _now_ns: int) -> None:
    """Refuse a word on a transfer where nothing is withdrawn."""
    raise BadValueError("nothing is withdrawn here: SYNDICATE_TRANSFERS_VENUES names no exchange")


NO_CHAT: Final = (
    "no chat can vouch for a person here: the signer was started without the chat that make run"
    " starts beside it"
)


@dataclass(slots=True)
class _Approval:
    engine: str
    at_ns: int
    by: set[str] = field(default_factory=set)
    used_for: str = ""


@dataclass(slots=True)
class _Granted:
    engine: str
    mandate: Mandate
    at_ns: int
    ends_ns: int
    spent_usd: Decimal = Decimal(0)
    plans: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Words:
    """See the module.

    Attributes:
        key: that the chat shares; None where there is no such chat.
        journal: where it stands who went live.
        since_ns: when this process began: a word from before it was for another.
        void_ns: says when, of an engine, latches or mode changed last: what was said earlier is
            void.
        latched_ns: the same of the latches alone.
        two_people_usd: from this worth on two people have to approve; None for never.
        why_not_live: says what is missing for an engine to go live; empty if nothing is.
        why_not_let_run: the same of a contract that is to run again.
        let_runs: who let which contract run again.
        allow_transfer: keeps a word on a transfer, or raises `BadValueError` with why not.
    """

    key: bytes | None
    journal: Journal
    since_ns: int = 0
    void_ns: Callable[[str], int] = lambda _engine: 0
    latched_ns: Callable[[str], int] = lambda _engine: 0
    two_people_usd: Decimal | None = None
    why_not_live: Callable[[WentLive], str] = lambda _word: ""
    why_not_let_run: Callable[[LetRun], str] = lambda _word: ""
    let_runs: LetRuns = field(default_factory=LetRuns)
    allow_transfer: Callable[[TransferAllowed, int], None] = no_transfers
    _approvals: dict[str, _Approval] = field(default_factory=dict)
    _granted: dict[str, _Granted] = field(default_factory=dict)

    def hear(self, sealed: SealedWord, now_ns: int) -> None:
        """Take a person's word.

        Raises:
            BadValueError: it is not the chat's, was kept by somebody, or cannot be had.
        """
        if self.key is None:
            raise BadValueError(NO_CHAT)
        word = opened_word(sealed, self.key)
        if word.at_ns < self.since_ns or abs(now_ns - word.at_ns) > FRESH_NS:
            raise BadValueError("it was said too long ago, or before the signer began: say it anew")
        if isinstance(word, Approved):
            self._approve(word, now_ns)
        elif isinstance(word, Mandated):
            self._grant(word, now_ns)
        elif isinstance(word, LetRun):
            if why := self.why_not_let_run(word):
                raise BadValueError(why)
            self.let_runs.hear(word)
        elif isinstance(word, TransferAllowed):
            self.allow_transfer(word, now_ns)
        elif why := self.why_not_live(word):
            raise BadValueError(why)
        else:
            self.journal.keep_live(word.engine, by=word.by, at_ns=word.at_ns)

    def take_back(
        self, engine: str, *, mandate_id: str = "", chain: str = "", is_all: bool = False
    ) -> None:
        """End a mandate of an engine, or all of them; with `is_all` what else was allowed, too.

        With `chain` only that its contract was let run again.
        """
        if chain:
            self.let_runs.take_back(chain)
            return
        for name, granted in [*self._granted.items()]:
            if granted.engine == engine and mandate_id in {"", name}:
                del self._granted[name]
        if is_all:
            self._approvals = {
                digest: one for digest, one in self._approvals.items() if one.engine != engine
            }
            self.journal.end_live(engine)

    def why_not_run(self, chain: str, *, now_ns: int, command_id: str | None = None) -> str:
        """Say why no person's word lets a chain's contract run again; see `LetRuns.why_not`."""
        if self.key is None:
            return NO_CHAT
        return self.let_runs.why_not(chain, now_ns=now_ns, command_id=command_id)

    # ---- being live --------------------------------------------------------------------------

    def why_not_gone_live(self, engine: str, mode_ns: int) -> str:
        """Say why nothing is signed without a word on each plan; empty if a person went live.

        Args:
            engine: whose mode says live.
            mode_ns: when it began to say so. One word counts for one such change, so that a mode
                that was left and is there again takes another word.
        """
        if self.key is None:
            return NO_CHAT
        live = self.journal.live(engine)
        if live is None:
            return "the mode is live, and the chat has told of nobody who went live: /mode live"
        if self.latched_ns(engine) > live.at_ns:
            return "a latch was set or cleared since a person went live: /mode live again"
        if live.mode_ns == 0:
            self.journal.bind_live(engine, mode_ns)
        elif live.mode_ns != mode_ns:
            return "the mode was left since a person went live: /mode live again"
        return ""

    def left_live(self, engine: str) -> None:
        """Learn that the mode is another one now."""
        live = self.journal.live(engine)
        if live is not None and live.mode_ns:
            self.journal.end_live(engine)

    # ---- plans -------------------------------------------------------------------------------

    def why_not_approved(self, digest: str, engine: str, *, plan_digest: str, usd: Decimal) -> str:
        """Say why an approval does not carry a plan; empty if it does.

        Args:
            digest: of the terms, as the signer reckons it.
            engine: whose plan it is.
            plan_digest: of the plan that is to be carried out by it.
            usd: what the plan moves.
        """
        if self.key is None:
            return NO_CHAT
        approval = self._approvals.get(digest)
        if approval is None or approval.engine != engine:
            return "no person approved these terms, as far as the chat has told"
        if approval.at_ns <= self.void_ns(engine):
            return "a kill or another mode came after it was approved"
        if approval.used_for not in {"", plan_digest}:
            return "it was used already"
        needed = 2 if self._needs_two(usd) else 1
        if len(approval.by) < needed:
            return f"{len(approval.by)} of {needed} people approved it"
        return ""

    def why_not_mandated(
        self, mandate_id: str, engine: str, plan: Plan, *, usd: Decimal, now_ns: int
    ) -> str:
        """Say why a mandate does not cover a plan; empty if it does.

        A plan of orders and a transaction asks twice, and is counted once.
        """
        if self.key is None:
            return NO_CHAT
        granted = self._granted.get(mandate_id)
        if granted is None or granted.engine != engine:
            return "no person granted it, as far as the chat has told"
        mandate, left_usd = granted.mandate, granted.mandate.total_usd_max - granted.spent_usd
        edge_bps = net_edge_bps(plan)
        is_new = not isinstance(plan, MixedPlan) or digest_of_plan(plan) not in granted.plans
        wrong = (
            (granted.at_ns <= self.void_ns(engine), "a kill or another mode came after it"),
            (now_ns >= granted.ends_ns, "its time is over"),
            (not mandate.scope.covers(plan.opportunity), "it is for something else"),
            (self._needs_two(usd), "the plan's size takes two people, and one granted it"),
            (edge_bps < mandate.edge_bps_min, f"{edge_bps:.2f} bps is below its least"),
            (usd > mandate.each_usd_max, f"{usd:.2f} USD is above what one plan may move"),
            (
                is_new and usd > left_usd,
                f"{usd:.2f} USD is above the {left_usd:.2f} USD that are left",
            ),
            (is_new and len(granted.plans) >= PLANS_MAX, f"its {PLANS_MAX} plans are done"),
        )
        return next((why for is_wrong, why in wrong if is_wrong), "")

    def use_approval(self, digest: str, plan_digest: str) -> None:
        """Use an approval up, for one plan."""
        self._approvals[digest].used_for = plan_digest

    def use_mandate(self, mandate_id: str, plan_digest: str, usd: Decimal) -> None:
        """Count a plan of a mandate."""
        granted = self._granted[mandate_id]
        if plan_digest not in granted.plans:
            granted.plans.add(plan_digest)
            granted.spent_usd += usd

    # ---- words -------------------------------------------------------------------------------

    def _approve(self, word: Approved, now_ns: int) -> None:
        kept = self._approvals
        for digest in [one for one, it in kept.items() if now_ns - it.at_ns > KEPT_NS]:
            del kept[digest]
        if word.digest not in kept and len(kept) >= KEPT_MAX:
            raise BadValueError(f"{KEPT_MAX} approvals are kept already")
        approval = kept.setdefault(word.digest, _Approval(word.engine, word.at_ns))
        if approval.engine != word.engine:
            raise BadValueError("these terms are another engine's")
        if approval.at_ns <= self.void_ns(word.engine):
            approval.by.clear()  # what was said before a kill counts for nobody
        approval.by.add(word.by)
        approval.at_ns = word.at_ns

    def _grant(self, word: Mandated, now_ns: int) -> None:
        mandate = word.mandate
        mandate.check()
        kept = self._granted
        for name in [one for one, it in kept.items() if now_ns >= it.ends_ns]:
            del kept[name]
        if mandate.mandate_id in kept:
            return  # told again; what was spent of it stays spent
        if len(kept) >= KEPT_MAX:
            raise BadValueError(f"{KEPT_MAX} mandates are kept already")
        lasts_ns = mandate.expires_at_ns - mandate.granted_at_ns
        kept[mandate.mandate_id] = _Granted(word.engine, mandate, word.at_ns, word.at_ns + lasts_ns)

    def _needs_two(self, usd: Decimal) -> bool:
        return self.two_people_usd is not None and usd >= self.two_people_usd
