"""A facade with the engine's own approvals behind it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.bus.notices import ApprovalAsked, ApprovalEnded
from engine.bus.request import Request
from engine.decide.approvals import ApprovalRules, Approvals
from engine.domain.approvals import Approval, ApprovalAct, ApprovalState
from engine.domain.modes import Basis
from engine.requests.presence import PromptShown
from tests.bot.fake_facade import FakeFacade
from tests.decide.test_choosing import plan


class AskingEngine(FakeFacade):
    """A facade with the engine's own approvals behind it."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__()
        self.now_ns = now_ns
        self.approvals = Approvals("r7", ApprovalRules())
        self.ends: dict[str, ApprovalState] = {}
        self.known: dict[str, Approval] = {}
        self.shown_at_ns: dict[str, int] = {}
        self.executed: list[str] = []

    async def ask(self, command: Request[Any], /) -> Any:
        """Learn of prompts that are shown."""
        if isinstance(command, PromptShown):
            self.shown_at_ns.setdefault(command.nonce, self.now_ns())
            self.approvals.delivered(self.known[command.nonce].approval_id, self.now_ns())
        return await super().ask(command)

    def ask_for(self, route: int, usd: Decimal) -> None:
        """Have a plan asked for."""
        self.approvals.ask(
            plan(route, usd), size_base=Decimal(1), worst=Decimal(0), why="", at_ns=self.now_ns()
        )
        self._tell_all()

    def tick(self) -> None:
        """Let time pass."""
        self.approvals.expire(self.now_ns())
        self._tell_all()

    def tap(self, nonce: str) -> None:
        """Somebody approves it."""
        approval = self.known[nonce]
        approved = self.approvals.answer(
            approval.approval_id,
            ApprovalAct.APPROVE,
            by="telegram:4242",
            digest=approval.digest,
            at_ns=self.now_ns(),
        )
        if approved is not None:
            self.executed.append(nonce)
            self.approvals.end(approved, ApprovalState.EXECUTED, at_ns=self.now_ns())
        self._tell_all()

    def nonce_of(self, approval_id: str) -> str:
        """Return what stands on its buttons."""
        return f"{int(approval_id.rpartition('a')[2]):012x}"

    def _tell_all(self) -> None:
        basis = Basis.SANDBOX
        for end in self.approvals.take_ended():
            nonce = self.nonce_of(end.approval_id)
            self.ends[nonce] = end.state
            approval = self.known[nonce]
            self.tell(
                ApprovalEnded(at_ns=end.at_ns, basis=basis, approval=approval, nonce=nonce, end=end)
            )
        for approval in self.approvals.take_asked():
            nonce = self.nonce_of(approval.approval_id)
            self.known[nonce] = approval
            self.tell(
                ApprovalAsked(
                    at_ns=approval.asked_at_ns, basis=basis, approval=approval, nonce=nonce
                )
            )
