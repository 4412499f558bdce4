"""Starts and stops a node on this machine; none outlives the process that started it."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from engine.sandbox.world.packages import NoWorldError, anvil_path
from engine.sandbox.world.rpc import Rpc

READY_S: Final = 60.0
LOOK_S: Final = 0.005
STOP_S: Final = 10.0
TRIES: Final = 5

# A shell stands between: when the pipe to it closes, as it does however its starter ends, it ends
# the node. It tells the node's id first and ends when the node does. Past states go to a folder
# that is gone with the node: by itself one leaves up to hundreds of megabytes in the home.
_KEEPER: Final = """
exec 3<&0
states=$(mktemp -d "${TMPDIR:-/tmp}/anvil-XXXXXX") || exit 1
"$@" --cache-path "$states" </dev/null 3<&- >/dev/null 2>&1 &
node=$!
echo $node
{ cat <&3 >/dev/null; kill $node; } >/dev/null 2>&1 &
wait $node
rm -rf "$states"
"""


class Anvil:
    """A running node.

    Attributes:
        pid: of the node itself.
        port: at 127.0.0.1, for HTTP and WebSocket.
        url, ws_url: where it is asked.
    """

    def __init__(self, keeper: subprocess.Popen[bytes], pid: int, port: int) -> None:
        self._keeper = keeper
        self.pid: Final = pid
        self.port: Final = port
        self.url: Final = f"http://127.0.0.1:{port}"
        self.ws_url: Final = f"ws://127.0.0.1:{port}"

    @property
    def is_alive(self) -> bool:
        """Say whether the node runs."""
        return self._keeper.poll() is None

    def kill(self) -> None:
        """End the node as a crash does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        """End the node and wait until it is gone."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self._keeper.wait()
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()


def start_anvil(
    *, chain_id: int, state: Path | None = None, port: int = 0, options: Sequence[str] = ()
) -> Anvil:
    """Start a node and wait until it answers.

    Args:
        chain_id: what it says it is.
        state: file to begin with, of `anvil_dumpState`; its head is followed by one of now.
        port: 0 takes a free one.
        options: more words of its command line.

    Raises:
        NoWorldError: it is not installed, or does not start.
    """
    words = [str(anvil_path()), "--host", "127.0.0.1", "--silent", "--chain-id", str(chain_id)]
    words += ["--no-cors", "--no-request-size-limit", *options]
    if state is not None:
        words += ["--load-state", str(state)]
    for _ in range(1 if port else TRIES):
        node = _try(words, port or _free_port())
        if node is not None:
            if state is not None:
                _begin_now(node)
            return node
    raise NoWorldError(f"The local chain's node does not start: {' '.join(words)}")


@contextlib.contextmanager
def running_anvil(
    *, chain_id: int, state: Path | None = None, port: int = 0, options: Sequence[str] = ()
) -> Iterator[Anvil]:
    """Run a node for as long as the context lasts."""
    node = start_anvil(chain_id=chain_id, state=state, port=port, options=options)
    try:
        yield node
    finally:
        node.stop()


def _try(words: Sequence[str], port: int) -> Anvil | None:
    """Start it, None if the port was taken by somebody else meanwhile."""
    keeper = subprocess.Popen(  # noqa: S603 - the words are ours
        ["/bin/sh", "-c", _KEEPER, "keeper", *words, "--port", str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    node = Anvil(keeper, int(keeper.stdout.readline()), port)
    until = time.monotonic() + READY_S
    while node.is_alive and time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError), Rpc(node.url) as rpc:
            rpc.ask("eth_chainId")
            # Somebody else's node may answer there while ours found the port taken and ends.
            if node.is_alive:
                return node
        time.sleep(LOOK_S)
    node.kill()
    return None


def _begin_now(node: Anvil) -> None:
    """Make a block: the head of a dump is as old as that, and the next one leaps over all since."""
    with Rpc(node.url) as rpc:
        rpc.ask("anvil_mine", "0x1")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
