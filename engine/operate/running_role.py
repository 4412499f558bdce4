"""A role at work: until it is told to stop, or an answer met what only a person mends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

from engine.domain.errors import FatalError
from engine.operate.lifeline import stop_signals
from engine.operate.loaded import keep_what_is_loaded
from engine.operate.role_words import announce_ready


class RunningRole:
    """A role in a process of its own; see `running_role`.

    Attributes:
        stop: set once it is to end.
        broken: why it ends by itself, None if it does not.
    """

    def __init__(self, stop: asyncio.Event) -> None:
        self.stop: Final = stop
        self.broken: FatalError | None = None

    def on_fatal(self, error: FatalError) -> None:
        """End by an error; of several the first is told."""
        if self.broken is None:
            self.broken = error
        self.stop.set()

    async def until_stopped(self, *beside: Coroutine[Any, Any, None]) -> None:
        """Say that it is ready, and return once it is to end.

        Args:
            beside: what runs meanwhile.

        Raises:
            ExceptionGroup: of what that raised: it ends the role.
        """
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one) for one in beside]
            keep_what_is_loaded()
            announce_ready()
            await self.stop.wait()
            for task in running:
                task.cancel()


@contextlib.asynccontextmanager
async def running_role(
    *, on_news: Callable[[str, str], None] = lambda _role, _why: None
) -> AsyncIterator[RunningRole]:
    """Give a role that a supervisor started what it needs to end in order.

    Args:
        on_news: see `lifeline.stop_signals`.

    Raises:
        FatalError: why it ended by itself, once all of the block is closed.
    """
    async with stop_signals(ignores_interrupt=True, on_news=on_news) as stop:
        role = RunningRole(stop)
        yield role
    if role.broken is not None:
        raise role.broken
