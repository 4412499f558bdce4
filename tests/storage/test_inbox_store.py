"""An update of a chat is kept once, until it was done."""

from engine.bus.reports import InboxItems, InboxStored
from engine.requests.chat import DoneInbox, PutInbox, TakeInbox
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import ask
from tests.storage.conftest import Clock

SOURCE = "telegram"


async def _put(ledger: Ledger, *update_ids: int, source: str = SOURCE) -> list[int]:
    updates = [(update_id, b"\x00update %d" % update_id) for update_id in update_ids]
    return (await ask(ledger, PutInbox(source=source, updates=updates), InboxStored)).new_ids


async def _waiting(ledger: Ledger) -> list[int]:
    items = await ask(ledger, TakeInbox(source=SOURCE), InboxItems)
    assert all(payload == b"\x00update %d" % update_id for update_id, payload in items.updates)
    return [update_id for update_id, _ in items.updates]


async def test_only_updates_not_stored_before_are_new(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        assert await _put(ledger, 7, 5) == [7, 5]
        assert await _put(ledger, 5, 6, 6) == [6]
        assert await _put(ledger, 5, source="console") == [5]
        assert await _put(ledger) == []


async def test_what_is_not_done_is_taken_again_after_a_restart_oldest_first(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await _put(ledger, 7, 5, 6)
        await ask(ledger, DoneInbox(source=SOURCE, update_ids=[5]), InboxStored)

    async with open_ledger(settings, clock=clock) as ledger:
        assert await _waiting(ledger) == [6, 7]


async def test_a_done_update_is_not_new_when_it_arrives_again(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await _put(ledger, 5)
        await ask(ledger, DoneInbox(source=SOURCE, update_ids=[5]), InboxStored)

        assert await _put(ledger, 5) == []
        assert await _waiting(ledger) == []


async def test_an_update_that_waits_outlives_every_retention(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await _put(ledger, 5, 6)
        await ask(ledger, DoneInbox(source=SOURCE, update_ids=[5]), InboxStored)
        clock.now_ns += 1_000 * makers.DAY_NS

        assert await ledger.apply_retention() == 1
        assert await _waiting(ledger) == [6]
