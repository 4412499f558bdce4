"""What ties a role to its supervisor: a readiness message one way, a lifeline the other.

The supervisor holds the lifeline's writing end. When the supervisor dies, however it dies, the
role reads the end of the pipe and stops, so no orphan is left behind.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

READY_ENVIRONMENT_NAME = "SYNDICATE_INTERNAL_READY_FD"
LIFELINE_ENVIRONMENT_NAME = "SYNDICATE_INTERNAL_LIFELINE_FD"

_READY = b"ready\n"


def announce_ready() -> None:
    """Tell the supervisor, if there is one, that this role answers now."""
    text = os.environ.pop(READY_ENVIRONMENT_NAME, None)
    if text is None:
        return
    with contextlib.suppress(OSError):
        os.write(int(text), _READY)
        os.close(int(text))


@contextlib.asynccontextmanager
async def stop_signals(*, ignores_interrupt: bool = False) -> AsyncIterator[asyncio.Event]:
    """Give an event that is set by SIGTERM, SIGINT or the end of the supervisor.

    A role that a terminal's Ctrl-C must not stop by itself ignores SIGINT; the supervisor ends it
    in its turn.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGINT, (lambda: None) if ignores_interrupt else stop.set)
    lifeline = os.environ.get(LIFELINE_ENVIRONMENT_NAME)
    if lifeline is not None:
        loop.add_reader(int(lifeline), stop.set)
    try:
        yield stop
    finally:
        if lifeline is not None:
            loop.remove_reader(int(lifeline))
        loop.remove_signal_handler(signal.SIGTERM)
        loop.remove_signal_handler(signal.SIGINT)
