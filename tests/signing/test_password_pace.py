"""Who guesses at passwords waits longer each time; who types one wrong now and then does not."""

import asyncio
import contextlib

import pytest

from engine.domain.errors import SettingsError
from engine.domain.units import NS_PER_S
from engine.signing.password_pace import FREE, WAIT_S_MAX, PasswordPace


class Lock:
    """Something that one password opens, and a clock that the test turns."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.looked = 0
        self.at_once = self.at_once_max = 0
        self.pace = PasswordPace(lambda: self.now_ns)

    async def guess(self, *, is_right: bool = False) -> bool:
        """Try a password; say whether it was looked at."""
        before = self.looked
        with contextlib.suppress(SettingsError):
            async with self.pace.trying():
                await self._open(is_right=is_right)
        return self.looked > before

    async def _open(self, *, is_right: bool) -> None:
        self.looked += 1
        self.at_once += 1
        self.at_once_max = max(self.at_once_max, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if not is_right:
            raise SettingsError("it does not open")

    async def wait_s(self) -> int:
        """Return how long nothing is looked at."""
        for second in range(WAIT_S_MAX + 2):
            if await self.guess():
                return second
            self.now_ns += NS_PER_S
        raise AssertionError("for ever")


async def test_a_few_typing_errors_cost_nothing_and_guesses_cost_twice_as_long_each_time() -> None:
    lock = Lock()
    waits = [await lock.wait_s() for _ in range(FREE + 11)]
    assert waits[: FREE + 1] == [0] * (FREE + 1)
    assert waits[FREE + 1 :] == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


async def test_the_right_one_opens_after_its_time_and_ends_the_waiting() -> None:
    lock = Lock()
    for _ in range(FREE + 2):
        await lock.guess()
    assert not await lock.guess(is_right=True)
    lock.now_ns += 2 * NS_PER_S
    assert await lock.guess(is_right=True)
    assert [await lock.guess() for _ in range(FREE)] == [True] * FREE


async def test_guesses_that_come_together_are_looked_at_one_by_one_and_no_more_of_them() -> None:
    lock = Lock()
    await asyncio.gather(*(lock.guess() for _ in range(50)))
    assert (lock.at_once_max, lock.looked) == (1, FREE + 1)


async def test_the_wait_is_told() -> None:
    lock = Lock()
    for _ in range(FREE + 1):
        await lock.guess()
    with pytest.raises(SettingsError, match=f"{FREE + 1} wrong passwords in a row: .* 2 s more"):
        async with lock.pace.trying():
            raise AssertionError("it was looked at")
