"""A loop that is kept awake wakes up by itself while its block lasts, if that is wanted."""

import asyncio
import selectors

from engine.operate.awake import kept_awake


class Counting(selectors.DefaultSelector):
    """Counts how often a loop looks for what is due, and how long it would sleep at most."""

    def __init__(self) -> None:
        super().__init__()
        self.sleeps: list[float | None] = []

    def select(self, timeout: float | None = None) -> "list[tuple[selectors.SelectorKey, int]]":
        self.sleeps.append(timeout)
        return super().select(timeout)


async def rest(*, is_wanted: bool) -> None:
    with kept_awake(is_wanted=is_wanted):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.02)


def sleeps_of(*, is_wanted: bool) -> list[float]:
    selector = Counting()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(rest(is_wanted=is_wanted))
    return [one for one in selector.sleeps if one is not None]


def test_a_loop_that_is_kept_awake_never_sleeps_longer_than_a_millisecond_until_its_end() -> None:
    *within, last = [one for one in sleeps_of(is_wanted=True) if one > 0]

    assert len(within) > 5
    assert max(within) <= 0.0011
    assert last > 0.01


def test_a_loop_that_is_not_sleeps_until_something_is_due() -> None:
    assert len([one for one in sleeps_of(is_wanted=False) if one > 0]) <= 4
