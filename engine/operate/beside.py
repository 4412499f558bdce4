"""Tasks that run beside a block of code: they end with it, it ends with the first that fails."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Protocol

from engine.domain.errors import SyndicateError, worst_of


class Run(Protocol):
    """Starts tasks."""

    def __call__(self, *tasks: Coroutine[Any, Any, None]) -> None:
        """Run them from now on, to the end of the block."""


@contextlib.asynccontextmanager
async def running_beside() -> AsyncIterator[Run]:
    """Give what starts tasks that are cancelled when the block ends.

    Raises:
        SyndicateError: the one that matters most of those that tasks and the block raised; see
            `errors.worst_of`.
    """
    running: list[asyncio.Task[None]] = []
    try:
        async with asyncio.TaskGroup() as group:

            def run(*tasks: Coroutine[Any, Any, None]) -> None:
                running.extend(group.create_task(one) for one in tasks)

            try:
                yield run
            finally:
                for task in running:
                    task.cancel()
    except* SyndicateError as errors:
        raise worst_of(errors) from None
