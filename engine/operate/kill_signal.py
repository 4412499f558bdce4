"""The last way to tell a silent engine: a signal to the process behind its socket."""

import os
import signal
import socket
import struct
from pathlib import Path
from typing import Final

from engine.operate.kill_latch import KillLatch

_NUMBER: Final = signal.SIGUSR1
_PEER: Final = struct.Struct("3i")  # process, user, group
_CONNECT_S: Final = 0.5


def obey_kill_signal(latch: KillLatch) -> None:
    """Hold every plan from the signal on; it reaches a process whose event loop is stuck too."""
    signal.signal(_NUMBER, lambda _number, _frame: latch.hold())


def signal_engine(socket_path: Path) -> int | None:
    """Signal the engine; returns its process id, None if no engine listens."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_CONNECT_S)
            connection.connect(os.fspath(socket_path))
            content = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        process_id: int = _PEER.unpack(content)[0]
        os.kill(process_id, _NUMBER)
    except OSError:
        return None
    return process_id
