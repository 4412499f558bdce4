"""Short ways to ask a ledger in tests."""

from typing import Any, TypeVar

from engine.bus.records import Append, Appended, Record
from engine.bus.reports import NoticesReport, TradesReport
from engine.bus.request import Request
from engine.requests.chat import GetNotices
from engine.requests.money import GetTrades
from engine.storage.ledger import Ledger

T = TypeVar("T")


async def ask(ledger: Ledger, request: Request[Any], reply_type: type[T]) -> T:
    reply = await ledger.answer(request)
    assert isinstance(reply, reply_type)
    return reply


async def append(ledger: Ledger, *records: Record) -> None:
    await ask(ledger, Append(records=list(records)), Appended)


async def trades(ledger: Ledger) -> TradesReport:
    return await ask(ledger, GetTrades(limit=1_000), TradesReport)


async def notices(
    ledger: Ledger, *, reader: str = "phone", after_seq: int | None = None, wait_ms: int = 0
) -> NoticesReport:
    request = GetNotices(reader=reader, after_seq=after_seq, wait_ms=wait_ms)
    return await ask(ledger, request, NoticesReport)
