"""What became of a nonce, as it is told: its fate, with what the chain shows of it."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from engine.domain.plans import MixedPlan
from engine.domain.told import Asked, Fate, TransactionNews
from engine.sending.encoding import decode, decode_swap
from engine.sending.facts import Landed, Life, Telling
from engine.sending.known_chain import KnownChain
from engine.sending.nonces import NonceTable
from engine.sending.paths import Way
from engine.sending.receipts import receipt_of
from engine.sending.swap_receipts import swap_receipt_of
from engine.sending.trust import Failure, RouteTrust
from engine.sending.view import ChainView


@dataclass(slots=True, kw_only=True)
class Outcomes:
    """Outcomes of one chain and wallet; see the module.

    Attributes:
        trust: in routes; learns of each outcome.
        warn: tells a person; an empty sentence is none.
        now_ns: the wall clock.
    """

    table: NonceTable
    view: ChainView
    known: KnownChain
    trust: RouteTrust
    warn: Callable[[str], None]
    now_ns: Callable[[], int]

    async def news(
        self, life: Life, telling: Telling, *, way: Way, recovery: str
    ) -> TransactionNews:
        """Return what is told, with what the chain shows of it.

        Args:
            life: of the nonce.
            telling: what is to be told.
            way: by which it was sent.
            recovery: where gains of our contract go.

        Raises:
            TransientError: nodes do not say now: nothing is kept, and it is told at a later look.
        """
        landed, handed = telling.landed, self.table.handed(life.client_order_id)
        news = TransactionNews(
            client_order_id=telling.client_order_id,
            version=telling.version,
            fate=telling.fate,
            hash="" if landed is None else landed.hash,
            why=telling.why,
            chore=self.known.chore(life, landed),
        )
        if (asked := self.table.asked.of(life.client_order_id)) is not None:
            self.warn(_came_to_nothing(asked, telling.fate))
        lost = ""
        if telling.fate in {Fate.CANCELLED, Fate.NEVER}:
            lost = await way.why_lost(life)
        if landed is None or handed is None:
            return msgspec.structs.replace(news, why="; ".join(filter(None, (news.why, lost))))
        if isinstance(plan := handed.sized, MixedPlan):
            return await self._of_swap(life, telling, landed, plan, news, lost)
        route = decode(life.data, contract=life.to)
        if telling.fate is Fate.SUCCEEDED:
            seen, ts = await self.view.gain(route, landed, recovery, self._ours(life))
            self.trust.succeed(plan)
        else:
            seen, ts = None, await self.view.time_of(landed)
            if telling.fate is Fate.REVERTED:
                self.warn(self.trust.fail(plan, Failure.ORDER, self.now_ns()))
        receipt, odd = receipt_of(
            plan,
            route,
            landed,
            seen,
            fate=telling.fate,
            landed_ts=ts,
            recovery=recovery,
            lost=lost,
        )
        self.warn(odd)
        return msgspec.structs.replace(news, receipt=receipt)

    async def _of_swap(  # noqa: PLR0917 - what `news` has at hand
        self,
        life: Life,
        telling: Telling,
        landed: Landed,
        plan: MixedPlan,
        news: TransactionNews,
        lost: str,
    ) -> TransactionNews:
        """Return what is told of a swap, by the wallet's balances of both tokens."""
        swap = decode_swap(life.data, contract=life.to)
        seen, why = None, f"cancelled: {lost or 'it was too late for it'}"
        if telling.fate is Fate.SUCCEEDED:
            seen, ts = await self.view.turn(swap, landed, self._ours(life))
            self.trust.succeed(plan)
            why = ""
        else:
            ts = await self.view.time_of(landed)
            if telling.fate is Fate.REVERTED:
                self.warn(self.trust.fail(plan, Failure.ORDER, self.now_ns()))
                why = "reverted"
        receipt, odd = swap_receipt_of(
            plan, swap, landed, seen, wallet=life.wallet, landed_ts=ts, why=why
        )
        self.warn(odd)
        return msgspec.structs.replace(news, receipt=receipt)

    def _ours(self, life: Life) -> set[str]:
        """Return what we sent that may be in one block with a life's, looked after yet or not."""
        return {
            attempt.hash
            for one in self.table.lives_beside(life)
            for attempt in one.attempts
            if not attempt.is_cancel
        }


def _came_to_nothing(asked: Asked, fate: Fate) -> str:
    if fate in {Fate.SUCCEEDED, Fate.UNDONE}:
        return ""
    what = "pause" if asked.is_pause else "let run again"
    return f"what was to {what} the contract on {asked.chain} is {fate}: ask again"
