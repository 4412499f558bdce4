"""One sync is for all that came meanwhile, and that an event was taken costs none of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from bot.web.hooks.keeping import GATHER_S, Keeping
from bot.web.hooks.store import HookStore, row_of
from tests.bot.web.hooks.test_store import EVENT, LATER
from tests.patience import PATIENCE_S


@asynccontextmanager
async def keeping(folder: Path, *, taken_s: float) -> AsyncIterator[Keeping]:
    made = Keeping(HookStore(folder), clock=lambda: 1, keep_s=86_400, taken_s=taken_s)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_that_events_were_taken_is_kept_with_what_comes_next(tmp_path: Path) -> None:
    async with keeping(tmp_path, taken_s=3_600) as one:
        events = [replace(EVENT, log_index=at) for at in range(5)]
        for event in events:
            assert await one.keep([event]) == [True]
            one.taken([row_of(event)])
            await asyncio.sleep(2 * GATHER_S)  # nothing of it is kept by itself

        assert one.commits == len(events)
        assert await one.waiting(before_ns=LATER, most=20) == events[-1:]


async def test_what_was_taken_last_is_kept_without_anything_after_it(tmp_path: Path) -> None:
    async with keeping(tmp_path, taken_s=0.001) as one:
        await one.keep([EVENT])
        one.taken([row_of(EVENT)])
        async with asyncio.timeout(PATIENCE_S):
            while await one.waiting_count():
                await asyncio.sleep(0.01)


async def test_bodies_that_come_together_share_a_change(tmp_path: Path) -> None:
    async with keeping(tmp_path, taken_s=3_600) as one:
        events = [replace(EVENT, log_index=at) for at in range(50)]
        found = await asyncio.gather(*(one.keep([event]) for event in events))

        assert found == [[True]] * len(events)
        assert one.commits == 1
