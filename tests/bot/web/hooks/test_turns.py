"""What follows of the first body does not wait for the last one."""

import asyncio

import pytest

from bot.web.hooks.turns import Turns


@pytest.mark.parametrize("count", [1, 3, 4, 50])
async def test_of_bodies_that_come_together_the_first_ones_are_handed_on_before_the_others(
    count: int,
) -> None:
    turns, done, is_read = Turns(at_once=3), list[str](), asyncio.Event()

    async def read(number: int) -> None:
        await turns.take()
        done.append(f"read {number}")
        is_read.set()

    async def hand_on() -> None:
        while sum(one != "handed on" for one in done) < count:
            await is_read.wait()
            is_read.clear()
            done.append("handed on")

    await asyncio.gather(hand_on(), *(read(number) for number in range(count)))

    expected = []
    for first in range(0, count, 3):
        expected += [f"read {one}" for one in range(first, min(first + 3, count))]
        expected.append("handed on")
    assert done == expected
