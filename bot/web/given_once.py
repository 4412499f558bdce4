"""Commands that come with a key of their own are given once, however often they are sent.

What was answered is told again to whoever sends the same again, unless it was no answer: where a
role was away the same is tried anew, as what was given then. So what has overtaken it since, as a
kill does, voids it still.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Generic, TypeVar

from cachetools import TTLCache

from bot.web.problems import RefusedError

REMEMBERED_S: Final = 600.0
REMEMBERED_MAX: Final = 1_000
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A command as it was given.

    Attributes:
        epoch: number of kills then.
    """

    line: str
    epoch: int
    at_ns: int


class GivenOnce(Generic[Answer]):
    """Remembers what came with which key, and what it came to."""

    def __init__(self) -> None:
        self._given: TTLCache[tuple[str, str], Given] = TTLCache(REMEMBERED_MAX, REMEMBERED_S)
        self._answers: TTLCache[tuple[str, str], asyncio.Future[Answer]] = TTLCache(
            REMEMBERED_MAX, REMEMBERED_S
        )

    async def once(
        self,
        name: tuple[str, str],
        given: Given,
        carry_out: Callable[[Given], Awaitable[Answer]],
    ) -> Answer:
        """Return the answer to a command, carried out for whoever sends it first.

        Args:
            name: who sends it, and the key that it came with.
            given: as it came now.
            carry_out: gets it as it came first.

        Raises:
            RefusedError: another command came with the key before (409), or `carry_out`'s own.
        """
        first = self._given.setdefault(name, given)
        if first.line != given.line:
            raise RefusedError(
                HTTPStatus.CONFLICT, "this Idempotency-Key came with another command before"
            )
        before = self._answers.get(name)
        if before is None:
            before = asyncio.ensure_future(carry_out(first))
            self._answers[name] = before
            before.add_done_callback(lambda done: self._forget_failed(name, done))
        return await asyncio.shield(before)

    def _forget_failed(self, name: tuple[str, str], done: "asyncio.Future[Answer]") -> None:
        if (done.cancelled() or done.exception() is not None) and (self._answers.get(name) is done):
            del self._answers[name]
