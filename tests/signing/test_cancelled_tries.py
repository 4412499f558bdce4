"""Who guesses passwords and does not wait for the answer is paced like anybody else."""

import asyncio

import pytest

from engine.domain.errors import SettingsError
from engine.signing.password_pace import FREE, PasswordPace


async def test_a_try_that_nobody_waited_for_counts_as_a_wrong_one() -> None:
    pace = PasswordPace(lambda: 0)
    begun = asyncio.Event()

    async def guess() -> None:
        async with pace.trying():
            begun.set()
            await asyncio.Event().wait()

    for _ in range(FREE + 1):
        begun.clear()
        guessing = asyncio.create_task(guess())
        await begun.wait()
        guessing.cancel()
        await asyncio.gather(guessing, return_exceptions=True)

    with pytest.raises(SettingsError, match="wrong passwords in a row"):
        async with pace.trying():
            pass
