"""The last way to tell a silent engine: a signal to the process behind its socket."""

import os
import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.operate.kill_latch import EngineLatches, KillLatch

_OF_ALL: Final = signal.SIGUSR1
_OWN: Final = signal.SIGUSR2
_PEER: Final = struct.Struct("3i")  # process, user, group
_CONNECT_S: Final = 0.5


def obey_kill_signal(latches: EngineLatches, told: Callable[[], object] = lambda: None) -> None:
    """Hold every plan from the signal on; it reaches a process whose event loop is stuck too.

    Whether all engines were killed or this one decides what clears it. `told` is called between
    any two instructions of this thread.
    """

    def hold(latch: KillLatch) -> None:
        latch.hold()
        told()

    signal.signal(_OF_ALL, lambda _number, _frame: hold(latches.of_all))
    signal.signal(_OWN, lambda _number, _frame: hold(latches.own))


def signal_engine(socket_path: Path, *, is_of_all: bool = True) -> int | None:
    """Signal the engine; returns its process id, None if no engine listens."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_CONNECT_S)
            connection.connect(os.fspath(socket_path))
            content = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        process_id: int = _PEER.unpack(content)[0]
        os.kill(process_id, _OF_ALL if is_of_all else _OWN)
    except OSError:
        return None
    return process_id
