"""What ties a role to its supervisor: the lifeline. What it says itself is in `role_words`.

The supervisor holds the lifeline's writing end. When the supervisor dies, however it dies, the
role reads the end of the pipe and stops, so no orphan is left behind. The first line on it says
that it is the role's turn to open what it needs; later ones are news of roles that ended for good:
the one way that needs neither ledger nor disk.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Final

from engine.bus.lease import Lease
from engine.operate.role_words import give_sign_of_life

LIFELINE_ENVIRONMENT_NAME = "SYNDICATE_INTERNAL_LIFELINE_FD"

ROLES_ENVIRONMENT_NAME = "SYNDICATE_INTERNAL_ROLES"
"""Which roles the supervisor runs: whoever watches them is told."""

SIGN_S: Final = 0.5
"""Interval of the signs of life, and of looks at the lease."""

TURN: Final = b"turn\n"

_READ_BYTES = 4_096


@contextlib.asynccontextmanager
async def stop_signals(
    *,
    ignores_interrupt: bool = False,
    on_news: Callable[[str, str], None] = lambda _role, _why: None,
    lease: Lease | None = None,
) -> AsyncIterator[asyncio.Event]:
    """Give an event that is set by SIGTERM, SIGINT, the end of the supervisor or of the lease.

    It begins once the supervisor, if there is one, says that it is this role's turn: until then
    a signal or the supervisor's end simply ends the process, which has opened nothing yet.
    Meanwhile the loop gives the supervisor signs of life.

    A role that a terminal's Ctrl-C must not stop by itself ignores SIGINT; the supervisor ends it
    in its turn. `on_news` is told the role that ended for good, and why.

    Raises:
        SupersededError: at the end, if another process has taken the lease.
    """
    lifeline = os.environ.get(LIFELINE_ENVIRONMENT_NAME)
    if lifeline is not None:
        _wait_for_turn(int(lifeline))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if ignores_interrupt else stop.set)
    next_sign: asyncio.TimerHandle | None = None

    def live() -> None:
        nonlocal next_sign
        give_sign_of_life()
        if lease is not None and not lease.is_held():
            stop.set()
        next_sign = loop.call_later(SIGN_S, live)

    live()
    if lifeline is not None:
        reader = _Lifeline(int(lifeline), on_end=stop.set, on_news=on_news)
        loop.add_reader(int(lifeline), reader.read)
    try:
        yield stop
    finally:
        if next_sign is not None:
            next_sign.cancel()
        if lifeline is not None:
            loop.remove_reader(int(lifeline))
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
    if lease is not None:
        lease.check()


def _wait_for_turn(descriptor: int) -> None:
    # Nothing runs on the loop yet, so that it may stand still.
    if os.read(descriptor, len(TURN)) != TURN:
        sys.exit(0)  # the supervisor is gone


class _Lifeline:
    """The reading end."""

    def __init__(
        self, descriptor: int, *, on_end: Callable[[], None], on_news: Callable[[str, str], None]
    ) -> None:
        self._descriptor = descriptor
        self._on_end = on_end
        self._on_news = on_news
        self._unread = b""

    def read(self) -> None:
        """Take what is there; the end of the pipe is the end of the supervisor."""
        taken = os.read(self._descriptor, _READ_BYTES)
        if not taken:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._on_end()
            return
        *lines, self._unread = (self._unread + taken).split(b"\n")
        for line in lines:
            news = json.loads(line)
            self._on_news(news["role"], news["why"])
