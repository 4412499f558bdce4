"""What a run asks people and grants to them: who may answer what, what is kept, what is told.

A button carries nothing but a random nonce; what it stands for is looked up here. The nonces are no
part of the run: a replay makes others, which nobody sees.
"""

import secrets
from collections.abc import Callable
from typing import Final

from cachetools import FIFOCache
from msgspec.structs import replace

from engine.bus.notices import ApprovalAsked, ApprovalEnded, MandateEnded, Notice
from engine.bus.records import ApprovalEndRecord, ApprovalRecord, MandateRecord, Record
from engine.domain.approvals import Approval, ApprovalEnd
from engine.domain.mandates import MandateUse
from engine.domain.modes import Basis
from engine.domain.permits import PermitKind
from engine.domain.plans import Plan

ENDED_MAX: Final = 200
"""Approvals that have ended and can still be told of."""

_NONCE_BYTES: Final = 6


class PermitBook:
    """The approvals of a run by the nonces on their buttons, and how mandates stand."""

    NOT_STATE = frozenset({"_nonces", "_by_nonce", "ended"})  # for people alone

    def __init__(
        self,
        *,
        run_id: str,
        basis: Basis,
        put: Callable[[Record], None],
        tell: Callable[[Notice], None],
    ) -> None:
        self._run_id = run_id
        self._basis = basis
        self._put = put
        self._tell = tell
        self._nonces: dict[str, str] = {}
        self._by_nonce: FIFOCache[str, Approval] = FIFOCache(ENDED_MAX)
        self.ended: FIFOCache[str, ApprovalEnd] = FIFOCache(ENDED_MAX)
        self._executed: dict[str, Approval] = {}
        self._asked: dict[str, Approval] = {}

    def find(self, nonce: str) -> Approval | None:
        """Return what a button is of."""
        return self._by_nonce.get(nonce)

    def nonce_of(self, approval_id: str) -> str:
        """Return what stands on the buttons of an approval that waits."""
        return self._nonces.get(approval_id, "")

    def asked(self, approval: Approval) -> None:
        """Keep and tell an approval that waits, or waits for a second person."""
        nonce = self._nonces.setdefault(approval.approval_id, secrets.token_hex(_NONCE_BYTES))
        self._by_nonce[nonce] = approval
        self._asked[approval.approval_id] = approval
        self._put(ApprovalRecord(run_id=self._run_id, basis=self._basis, approval=approval))
        self._tell(
            ApprovalAsked(
                at_ns=approval.asked_at_ns, basis=self._basis, approval=approval, nonce=nonce
            )
        )

    def started(self, plan: Plan) -> None:
        """Remember by what approval a plan is carried out, until it ends."""
        permit = plan.permit
        if permit is not None and permit.kind is PermitKind.APPROVAL:
            self._executed[plan.plan_id] = self._asked[permit.id]

    def approved(self, plan: Plan) -> Approval | None:
        """Return the approval of a plan that ends, None if it had none of this run.

        It names all who approved it; what was asked named only those who had until then.
        """
        approval = self._executed.pop(plan.plan_id, None)
        end = None if approval is None else self.ended.get(approval.approval_id)
        if approval is None or end is None:
            return approval
        return replace(approval, approved_by=tuple(end.by.split(", ")))

    def end(self, end: ApprovalEnd) -> None:
        """Keep and tell what became of an approval."""
        self.ended[end.approval_id] = end
        nonce = self._nonces.pop(end.approval_id, "")
        approval = self._asked.pop(end.approval_id)
        self._put(ApprovalEndRecord(at_ns=end.at_ns, end=end))
        self._tell(
            ApprovalEnded(
                at_ns=end.at_ns, basis=self._basis, approval=approval, nonce=nonce, end=end
            )
        )

    def mandate(self, use: MandateUse) -> None:
        """Keep how a mandate stands; tell of its end."""
        self._put(MandateRecord(run_id=self._run_id, basis=self._basis, use=use))
        if use.ended:
            self._tell(MandateEnded(at_ns=use.ended_at_ns, basis=self._basis, use=use))
