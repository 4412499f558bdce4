"""Transports: what carries requests between roles, chosen by the scheme of `SYNDICATE_BUS_URL`.

A new one is a file and a line in `transport_list.py`. Without a URL roles use sockets of their
machine; they listen on these in any case.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from engine.bus.request import Answerer, Caller, Request
from engine.domain.errors import FatalError


class RoleCaller(Caller, Protocol):
    """A client of a role that is a process.

    Attributes:
        ended: why the role will not come back by itself, once the supervisor said so.
    """

    ended: str | None

    async def aclose(self) -> None:
        """Close the connection."""
        ...


class Transport(Protocol):
    """Carries requests over something that a URL names.

    Attributes:
        schemes: of its URLs.
        example: how these look, for people.
    """

    schemes: tuple[str, ...]
    example: str

    def caller(self, url: str, /, *, role: str) -> RoleCaller:
        """Return a client of a role; it connects when needed."""
        ...

    def served(
        self,
        url: str,
        role: str,
        requests: Sequence[type[Request[Any]]],
        answerer: Answerer,
        /,
        *,
        on_fatal: Callable[[FatalError], None],
    ) -> AbstractAsyncContextManager[None]:
        """Answer requests to a role until the block ends."""
        ...
