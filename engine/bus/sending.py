"""What the role that sends transactions is asked: to carry plans out, and what became of them."""

from typing import Protocol

import msgspec

from engine.bus.reports import Declined
from engine.bus.request import SenderRequest
from engine.bus.sending_reports import ContractsReport, TransactionsReport
from engine.bus.work_reports import WorkDone
from engine.domain.engines import MAIN
from engine.domain.handed import Handed
from engine.domain.told import Asked, TransactionNews, WalletSeen


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """It was heard; nothing is kept of it."""


class Prepare(SenderRequest[Prepared], frozen=True, kw_only=True):
    """A plan may be handed over once its intent is durable: what can be done ahead is."""

    handed: Handed

    async def answer(self, sending: "Sending", /) -> Prepared:
        """See `Request.answer`."""
        sending.prepare(self.handed)
        return Prepared()


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """A plan was taken on, durably; or is refused for good, and why."""

    why: str = ""


class HandOver(SenderRequest[HandedOver], frozen=True, kw_only=True):
    """Carry a plan out, once, however often this is asked."""

    handed: Handed

    async def answer(self, sending: "Sending", /) -> HandedOver:
        """See `Request.answer`."""
        return await sending.hand_over(self.handed)


class ToldNews(msgspec.Struct, frozen=True, kw_only=True):
    """What was told, with its number; numbers only grow."""

    number: int
    news: TransactionNews


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """News, oldest first.

    Attributes:
        newest: number of the newest that there is.
    """

    newest: int
    news: tuple[ToldNews, ...] = ()


class AskAfter(SenderRequest[Told], frozen=True, kw_only=True):
    """What became of a plan last; one that never came is refused from then on, and told so."""

    client_order_id: str
    engine: str = MAIN

    async def answer(self, sending: "Sending", /) -> Told:
        """See `Request.answer`."""
        return sending.ask_after(self.client_order_id, self.engine)


class GetTold(SenderRequest[Told], frozen=True, kw_only=True):
    """All that was told after a number; waits a while for some. Without a number: the newest."""

    after: int | None = None

    async def answer(self, sending: "Sending", /) -> Told:
        """See `Request.answer`."""
        return await sending.told_after(self.after)


class GetUntold(SenderRequest[Told], frozen=True, kw_only=True):
    """What was told of an engine's plans after a number, and is not acknowledged yet.

    It waits a while for some.
    """

    engine: str
    after: int

    async def answer(self, sending: "Sending", /) -> Told:
        """See `Request.answer`."""
        return await sending.untold(self.engine, self.after)


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """They are told no more."""


class Acknowledge(SenderRequest[Acknowledged], frozen=True, kw_only=True):
    """What has these numbers is booked for good: it need not be told again."""

    numbers: tuple[int, ...]

    async def answer(self, sending: "Sending", /) -> Acknowledged:
        """See `Request.answer`."""
        return sending.acknowledge(self.numbers)


class AskContract(SenderRequest[WorkDone | Declined], frozen=True, kw_only=True):
    """Do to our contract on a chain what a person asked for, and the engine allowed."""

    timeout_s = 10.0

    asked: Asked

    async def answer(self, sending: "Sending", /) -> WorkDone | Declined:
        """See `Request.answer`."""
        return await sending.ask_contract(self.asked)


class WalletsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What is ours on each chain of which that can be said now."""

    seen: tuple[WalletSeen, ...]


class SeeWallets(SenderRequest[WalletsSeen], frozen=True, kw_only=True):
    """What chains show that is ours, at blocks of which all that they hold of it was told."""

    async def answer(self, sending: "Sending", /) -> WalletsSeen:
        """See `Request.answer`."""
        return await sending.wallets()


class Sending(Protocol):
    """What the role answers."""

    def prepare(self, handed: Handed) -> None:
        """Simulate what may be handed over in a moment; nothing is kept, signed or sent."""
        ...

    async def hand_over(self, handed: Handed) -> HandedOver:
        """Take a plan on; it survives a loss of power once this returns.

        Raises:
            BadValueError: another one was handed over under its id.
        """
        ...

    def ask_after(self, client_order_id: str, engine: str) -> Told:
        """Return what became of a plan last, nothing as long as nothing is sure."""
        ...

    async def told_after(self, after: int | None) -> Told:
        """Return what was told after a number."""
        ...

    async def untold(self, engine: str, after: int) -> Told:
        """Return what was told after a number, and is not acknowledged."""
        ...

    def acknowledge(self, numbers: tuple[int, ...]) -> Acknowledged:
        """Tell these no more."""
        ...

    async def wallets(self) -> WalletsSeen:
        """Return what chains show that is ours."""
        ...

    def transactions(self, most: int) -> TransactionsReport:
        """Return the newest transactions."""
        ...

    async def contracts(self) -> ContractsReport:
        """Return how our contract stands on each chain."""
        ...

    async def ask_contract(self, asked: Asked) -> WorkDone | Declined:
        """Keep what pauses our contract, or lets it run again, and send it."""
        ...
