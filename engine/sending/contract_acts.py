"""What persons asked to have done to our contract: who carries it out, and until when."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from engine.domain.told import Asked, Fate, TransactionNews
from engine.sending.beginnings import UNPAUSE_NS, Beginnings, DeskTerms
from engine.sending.calls import HeadNow
from engine.sending.encoding import UNPAUSE
from engine.sending.facts import Life
from engine.sending.nonces import NonceTable
from engine.sending.view import ChainView


@dataclass(slots=True, kw_only=True)
class ContractActs:
    """Acts on the contract of one chain; see the module.

    Attributes:
        warn: tells a person.
        now_ns: the wall clock.
    """

    terms: DeskTerms
    table: NonceTable
    view: ChainView
    beginnings: Beginnings
    warn: Callable[[str], None]
    now_ns: Callable[[], int]

    async def begin(self, asked: Asked, head: HeadNow) -> Life | TransactionNews | str:
        """Begin what a person asked for; what lets the contract run again not for ever.

        Returns:
            The nonce that it is to get; or what became of it, if it needs none; or why neither
            can be now.

        Raises:
            TransientError: nodes do not say.
        """
        if why := self._why_never(asked):
            self.warn(f"the contract on {asked.chain} is not let run again: {why}")
            return _ended(asked, Fate.NEVER, why=why)
        owner = self.terms.wallet
        if not asked.is_pause:
            owner = await self.view.owner(self.terms.route.contract)
        if owner != self.terms.wallet:
            return await self._as_owner(asked, owner)
        return await self.beginnings.asked(asked, head)

    async def _as_owner(self, asked: Asked, owner: str) -> TransactionNews:
        """Let the contract run again where another account owns it: a local node signs for it."""
        if not self.terms.may_begin_anew:
            why = f"only its owner {owner} lets it run again, and that is not this wallet"
            return _ended(asked, Fate.NEVER, why=why)
        sent = await self.view.send_as(owner, self.terms.route.contract, UNPAUSE)
        news = _ended(asked, Fate.SUCCEEDED, why=f"signed by the node for {owner}")
        return msgspec.structs.replace(news, hash=sent)

    def _why_never(self, asked: Asked) -> str:
        if asked.is_pause:
            return ""
        later = self.table.asked.paused_since(asked.chain, asked.at_ns)
        if later is not None:
            return f"{later.by} asked to pause it afterwards"
        late_ns = self.now_ns() - asked.at_ns
        return "that was asked for too long ago" if late_ns > UNPAUSE_NS else ""


def _ended(asked: Asked, fate: Fate, *, why: str) -> TransactionNews:
    return TransactionNews(client_order_id=asked.client_order_id, version=1, fate=fate, why=why)
