"""The process that has the venues, which outlives every trader that is killed."""

import multiprocessing
import selectors
import socket
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.domain.orders_handed import HandedOrder
from tests.trading.killed.trial import Said, Trial

PACKET_BYTES_MAX: Final = 200_000


class Control:
    """Asks it what only the campaign may.

    Attributes:
        address: at which it hears traders.
    """

    def __init__(self, pipe: Connection, address: Path) -> None:
        self.address = address
        self._pipe = pipe

    def begin(self, venues: Sequence[str]) -> None:
        """Begin a trial at these venues."""
        self._ask("begin", tuple(venues))

    def seen(self) -> tuple[int, int]:
        """Return the time, and when orders were handed over; 0 if nobody did."""
        now_ms, handed_at_ms = self._ask("seen")
        return now_ms, handed_at_ms

    def check(self, folder: Path, orders: Sequence[HandedOrder], *, is_over: bool) -> None:
        """Compare files that nobody has open with what is true.

        Raises:
            AssertionError: something is as it may never be.
        """
        wrong = self._ask("check", str(folder), msgspec.json.encode(orders), is_over)
        assert not wrong, wrong

    def _ask(self, *what: Any) -> Any:
        self._pipe.send(what)
        is_well, answer = self._pipe.recv()
        if not is_well:
            raise AssertionError(answer)
        return answer


@contextmanager
def open_venues(folder: Path) -> Iterator[Control]:
    """Run the process for the block."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    address = folder / "venues.sock"
    process = context.Process(target=_serve, args=(str(address), theirs), daemon=True)
    process.start()
    try:
        assert mine.recv() == "ready"
        yield Control(mine, address)
    finally:
        mine.send(None)
        process.join()


def _serve(address: str, pipe: Connection) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening,
        selectors.DefaultSelector() as selector,
    ):
        listening.bind(address)
        listening.listen()
        served = _Served(listening, selector)
        pipe.send("ready")
        while True:
            if not pipe.poll(0):
                served.hear_next(pipe)
                continue
            if (asked := pipe.recv()) is None:
                return
            # What the dead wrote counts before what is said of them.
            served.hear_the_rest()
            try:
                pipe.send((True, served.do(*asked)))
            except Exception:  # noqa: BLE001 - told to whoever asked
                pipe.send((False, traceback.format_exc()))


class _Served:
    """Traders that speak to it, and what they speak of."""

    def __init__(self, listening: socket.socket, selector: selectors.BaseSelector) -> None:
        self._listening = listening
        self._selector = selector
        self._decoder = msgspec.msgpack.Decoder(Said)
        self._trial = Trial(())
        selector.register(listening, selectors.EVENT_READ)

    def do(self, what: str, *more: Any) -> Any:
        if what == "begin":
            self._trial = Trial(*more)
            return None
        if what == "seen":
            return self._trial.now_ms, self._trial.handed_at_ms
        folder, orders, is_over = more
        handed = msgspec.json.decode(orders, type=list[HandedOrder])
        return self._trial.check(Path(folder), handed, is_over=is_over)

    def hear_next(self, pipe: Connection) -> None:
        """Wait for any word, and take those of traders."""
        self._selector.register(pipe, selectors.EVENT_READ)
        ready = self._selector.select()
        self._selector.unregister(pipe)
        for key, _ in ready:
            if key.fileobj is not pipe:
                self._hear(key.fileobj)

    def hear_the_rest(self) -> None:
        """Take all words that are there."""
        while ready := self._selector.select(0):
            for key, _ in ready:
                self._hear(key.fileobj)

    def _hear(self, whom: Any) -> None:
        if whom is self._listening:
            self._selector.register(self._listening.accept()[0], selectors.EVENT_READ)
            return
        try:
            packet = whom.recv(PACKET_BYTES_MAX)
            if packet:
                answer = self._trial.hear(self._decoder.decode(packet))
                if answer is not None:
                    whom.send(msgspec.msgpack.encode(answer))
                return
        except OSError:  # it was killed before it had its answer
            pass
        self._selector.unregister(whom)
        whom.close()
