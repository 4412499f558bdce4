"""How often somebody may ask: by who they are and by where they come from.

Kills are never counted here: whoever may kill, may.
"""

import contextlib
import math
import time
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from http import HTTPStatus
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from bot.web.problems import RefusedError


class Pace(Enum):
    """What may be asked how often, each in a minute."""

    GENERAL = RateLimitItemPerMinute(100)
    CONTROL = RateLimitItemPerMinute(10)
    STATUS = RateLimitItemPerMinute(200)
    ALERTS = RateLimitItemPerMinute(20, namespace="ALERTS")
    """What somebody's rules over the metrics say: a stolen viewer's key tells no more than that."""
    REFUSED = RateLimitItemPerMinute(10, namespace="REFUSED")
    """Wrong keys and tokens, by address."""


STREAMS_MAX: Final = 5
"""Streams that one identity has open at once."""

UNDER_WAY_MAX: Final = 32
"""Requests of one address that are answered at once; streams and kills are none of them."""


class Rates:
    """Counts requests in moving windows of a minute."""

    def __init__(self) -> None:
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._streams: dict[str, int] = {}
        self._under_way: Counter[str] = Counter()

    @contextlib.contextmanager
    def under_way(self, address: str) -> Iterator[None]:
        """Count a request while it is answered.

        Raises:
            RefusedError: too many of this address are answered already (429).
        """
        if self._under_way[address] >= UNDER_WAY_MAX:
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{UNDER_WAY_MAX} requests from here are being answered: wait for one of them",
                headers={"Retry-After": "1"},
            )
        self._under_way[address] += 1
        try:
            yield
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]

    def check(self, pace: Pace, *who: str) -> None:
        """Count a request of somebody, by each of their names.

        Raises:
            RefusedError: one of them asked too often (429), with the seconds to wait.
        """
        for name in who:
            if not self._windows.hit(pace.value, pace.name, name):
                raise self._too_often(pace, name)

    def check_not_refused(self, address: str) -> None:
        """Look whether wrong keys came from an address too often; counts nothing.

        Raises:
            RefusedError: they did (429).
        """
        if self.is_refused(address):
            raise self._too_often(Pace.REFUSED, address)

    def is_refused(self, address: str) -> bool:
        """Say whether wrong keys came from an address too often."""
        return not self._windows.test(Pace.REFUSED.value, Pace.REFUSED.name, address)

    def count_refused(self, address: str) -> None:
        """Count a wrong key or token from an address."""
        self._windows.hit(Pace.REFUSED.value, Pace.REFUSED.name, address)

    def open_stream(self, name: str) -> None:
        """Count a stream of somebody.

        Raises:
            RefusedError: they have too many open (429).
        """
        if self._streams.get(name, 0) >= STREAMS_MAX:
            raise RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"{STREAMS_MAX} streams are open for this key already: close one",
                headers={"Retry-After": "5"},
            )
        self._streams[name] = self._streams.get(name, 0) + 1

    def close_stream(self, name: str) -> None:
        """Count a stream of somebody no more."""
        left = self._streams.get(name, 1) - 1
        if left:
            self._streams[name] = left
        else:
            self._streams.pop(name, None)

    def _too_often(self, pace: Pace, name: str) -> RefusedError:
        item: RateLimitItem = pace.value
        window = self._windows.get_window_stats(item, pace.name, name)
        wait_s = max(1, math.ceil(window.reset_time - time.time()))
        return RefusedError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"more than {item.amount} a minute ({pace.name.lower()}): wait {wait_s} s",
            headers={"Retry-After": str(wait_s)},
        )
