"""How long a test waits for what must come: a bound that no busy machine reaches, never a figure.

Whatever is waited for comes in milliseconds on a quiet machine. What never comes is told by this
bound, well before the limit that every test has.
"""

import asyncio

from engine.bus.commands import Command
from engine.bus.reports import Report
from engine.domain.errors import TransientError
from engine.facade.engine import Facade

PATIENCE_S = 120.0


async def insist(facade: Facade, command: Command) -> Report:
    """Ask again whenever a role is away or slow, as the refusal says and a person does."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await facade.ask(command)
            except TransientError:
                await asyncio.sleep(0.05)
