"""What a nonce waits to have signed, asked of the signer: what it is for, and what a no means."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from engine.domain.errors import TransientError
from engine.domain.signing import (
    Purpose,
    RefusalKind,
    Signed,
    SigningIntent,
    SignRefusal,
    UnsignedTransaction,
)
from engine.sending import facts
from engine.sending.allowing_ids import is_allowing, plans_id
from engine.sending.encoding import APPROVE, PAUSE, REVOKE, UNPAUSE
from engine.sending.facts import Learned, Life, Unsigned
from engine.sending.nonces import NonceTable
from engine.storage.durable_file import Boundary

BEFORE_REPEATS: Final = frozenset({RefusalKind.LOCKED, RefusalKind.KILLED, RefusalKind.MODE})
"""What the signer refuses before it looks whether it signed the very same before: after a crash, or
a lost answer, these say nothing of that."""

PURPOSES: Final = {
    PAUSE: Purpose.PAUSE,
    UNPAUSE: Purpose.UNPAUSE,
    REVOKE: Purpose.REVOKE,
    APPROVE: Purpose.DISALLOW,
}
"""What a call without a plan is for, by its selector."""

Ask = Callable[[SigningIntent], Awaitable[Signed | SignRefusal]]
"""Asks the signer; raises `TransientError` where it is away."""


@dataclass(slots=True, kw_only=True)
class Signatures:
    """Signatures of one chain and wallet; see the module.

    Attributes:
        contract: ours.
        warn: tells a person.
        now_ns: the wall clock.
        crash: is told of each commit boundary.
        code_hash: of the contract, as the newest block has it.
    """

    table: NonceTable
    contract: str
    ask: Ask
    warn: Callable[[str], None]
    now_ns: Callable[[], int]
    crash: Boundary
    code_hash: str = ""
    _unasked: set[str] = field(default_factory=set)

    def never_asked(self, client_order_id: str) -> None:
        """Learn that its nonce was kept just now: no signature of it can be about."""
        self._unasked.add(client_order_id)

    async def sign(self, life: Life) -> Learned | None:
        """Ask for the signature of what a nonce waits with; None if it is to be asked for again."""
        intent = self._intent(life)
        # Whoever has it from before, or had no answer, may have been given a signature for it.
        is_sure = life.client_order_id in self._unasked
        self._unasked.discard(life.client_order_id)
        self.crash("before signing")
        try:
            reply = await self.ask(intent)
        except TransientError as error:
            self.warn(f"nothing is signed: {error}")
            return None
        self.crash("signed")
        if isinstance(reply, Signed):
            return facts.Signed(reply.hash, reply.raw, self.now_ns())
        if reply.kind in BEFORE_REPEATS and not is_sure:
            self.warn(f"nonce {life.nonce} waits to be signed: {reply.detail}")
            return None
        return Unsigned(reply.detail)

    def _intent(self, life: Life) -> SigningIntent:
        draft = life.draft
        assert draft is not None
        handed = self.table.handed(plans_id(life.client_order_id))
        own = None if handed is not None or draft.is_cancel else PURPOSES.get(life.data[:4])
        is_cancel = draft.is_cancel or (handed is None and own is None)
        purpose = Purpose.REPLACE if life.attempts else Purpose.ROUTE
        if is_allowing(life.client_order_id):
            purpose = Purpose.ALLOW
        transaction = UnsignedTransaction(
            chain_id=life.chain_id,
            nonce=life.nonce,
            to=life.wallet if is_cancel else life.to,
            value_wei=0,
            gas_limit=draft.bid.gas_limit,
            max_fee_per_gas_wei=draft.bid.fee_wei,
            max_priority_fee_per_gas_wei=draft.bid.tip_wei,
            data=b"" if is_cancel else life.data,
        )
        if own is not None:
            code_hash = self.code_hash if life.to == self.contract else ""
            return SigningIntent(purpose=own, transaction=transaction, code_hash=code_hash)
        if is_cancel or handed is None:
            return SigningIntent(purpose=Purpose.CANCEL, transaction=transaction)
        return SigningIntent(
            purpose=purpose,
            transaction=transaction,
            engine=handed.engine,
            plan=handed.plan,
            approved=handed.approved,
            code_hash=self.code_hash,
        )
