"""What the role that sends transactions is asked: to carry plans out, and what became of them."""

from typing import Protocol

import msgspec

from engine.bus.reports import Declined
from engine.bus.request import SenderRequest
from engine.bus.sending_reports import ContractsReport, TransactionsReport
from engine.bus.work_reports import WorkDone
from engine.domain.handed import Handed
from engine.domain.told import TransactionNews


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """A plan was taken on, durably; or is refused for good, and why."""

    why: str = ""


class HandOver(SenderRequest[HandedOver], frozen=True, kw_only=True):
    """Carry a plan out, once, however often this is asked."""

    handed: Handed

    async def answer(self, sending: "Sending", /) -> HandedOver:
        """See `Request.answer`."""
        return sending.hand_over(self.handed)


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

    async def answer(self, sending: "Sending", /) -> Told:
        """See `Request.answer`."""
        return sending.ask_after(self.client_order_id)


class GetTold(SenderRequest[Told], frozen=True, kw_only=True):
    """All that was told after a number; waits a while for some. Without a number: the newest."""

    after: int | None = None

    async def answer(self, sending: "Sending", /) -> Told:
        """See `Request.answer`."""
        return await sending.told_after(self.after)


class Sending(Protocol):
    """What the role answers."""

    def hand_over(self, handed: Handed) -> HandedOver:
        """Take a plan on.

        Raises:
            BadValueError: another one was handed over under its id.
        """
        ...

    def ask_after(self, client_order_id: str) -> Told:
        """Return what became of a plan last, nothing as long as nothing is sure."""
        ...

    async def told_after(self, after: int | None) -> Told:
        """Return what was told after a number."""
        ...

    def transactions(self, most: int) -> TransactionsReport:
        """Return the newest transactions."""
        ...

    async def contracts(self) -> ContractsReport:
        """Return how our contract stands on each chain."""
        ...

    async def pause_contract(self, chain: str, by: str) -> WorkDone | Declined:
        """Send what pauses our contract on a chain."""
        ...
