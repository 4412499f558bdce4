"""Roles on several machines reach each other over a Redis server.

The client takes 18 MB: only a role that is given such a URL loads it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from engine.bus.request import Answerer, Request
from engine.bus.transport import RoleCaller, Transport
from engine.domain.errors import FatalError


class _OverRedis:
    """Obeys `Transport`."""

    schemes: tuple[str, ...] = ("redis", "rediss", "unix")
    example = (
        "redis://:password@host:6379/0, rediss://... with TLS, "
        "or unix://:password@/path/of/its.socket"
    )

    def caller(self, url: str, /, *, role: str) -> RoleCaller:
        from engine.bus.redis_ask import RedisCaller  # noqa: PLC0415 - see above

        return RedisCaller(url, role=role)

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
        from engine.bus.redis_ask import open_redis_server  # noqa: PLC0415 - see above

        return open_redis_server(url, role, requests, answerer, on_fatal=on_fatal)


OVER_REDIS: Final[Transport] = _OverRedis()
