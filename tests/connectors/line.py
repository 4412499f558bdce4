"""A feed, a board and a fake venue joined by hand, with a clock that only the test moves."""

from collections import deque
from collections.abc import Sequence
from random import Random

from engine.domain.faults import Fault
from engine.market.board import Board
from engine.ports import Action, Feed, FeedLimits, Fetch, ListedRow, Reconnect, Send
from tests.connectors.dialects import DIALECTS, Dialect
from tests.connectors.truth import LOT, TICK, Sides
from tests.connectors.wire_frames import Frame

START_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000
ROUNDS_MAX = 200


class Line:
    """Delivers frames and answers; what the feed asks for waits until the test lets it through.

    Attributes:
        replies: frames that the venue sent in answer to the feed.
        fetches: requests that nobody has answered yet.
        reconnects: reasons for which the feed asked for a new connection.
        seen: newest version of each book that reached the feed.
        rows: the board's row of each wire name.
        is_mute: the venue does not answer subscriptions.
    """

    def __init__(self, name: str, *, seed: int = 1, limits: FeedLimits | None = None) -> None:
        self.random = Random(seed)
        self.venue: Dialect = DIALECTS[name](self.random)
        self.board = Board(self.venue.instruments)
        self.limits = limits or FeedLimits()
        books = range(len(self.venue.instruments))
        self.feed: Feed = self.venue.maker(self.venue.instruments, books, self.board, self.limits)
        self.wires = [each.wire_name for each in self.venue.instruments]
        self.rows = dict(zip(self.wires, books, strict=True))
        self.now_ns = START_NS
        self.replies: deque[Frame] = deque()
        self.fetches: deque[Fetch] = deque()
        self.sent: list[str] = []
        self.reconnects: list[str] = []
        self.seen: dict[str, int] = {}
        self.is_connected = False
        self.is_mute = False

    def connect(self) -> None:
        self.venue.connect()
        self.replies.clear()
        self.fetches.clear()
        self.seen.clear()
        self.is_connected = True
        self._carry_out(self.feed.opened(self.now_ns))

    def lose(self) -> None:
        self.is_connected = False
        self.replies.clear()
        self.fetches.clear()
        self._carry_out(self.feed.closed(self.now_ns))

    def deliver(self, frame: Frame) -> None:
        self.now_ns += 1_000_000
        if frame.wire:
            self.seen[frame.wire] = max(self.seen.get(frame.wire, 0), frame.version)
        self._carry_out(self.feed.frame(frame.payload, self.now_ns))

    def deliver_bytes(self, payload: bytes) -> None:
        self.deliver(Frame(payload))

    def flush(self) -> None:
        """Deliver what the venue sent before: a connection keeps its order."""
        while self.replies:
            self.deliver(self.replies.popleft())

    def change(self, wire: str) -> None:
        self.flush()
        self.deliver(self.venue.frame(self.venue.truth.change(wire)))

    def change_unseen(self, wire: str) -> None:
        """Change the venue's book while nobody listens."""
        self.venue.truth.change(wire)

    def list(self, rows: Sequence[int], *, closed: str = "") -> Sequence[Action]:
        """Hand the feed the rows that its venue lists now, all closed if a reason is given."""
        listed = [
            ListedRow(book=row, instrument=self.board.instruments[row], closed=closed)
            for row in rows
        ]
        actions = self.feed.listed(listed, self.now_ns)
        self._carry_out(actions)
        return actions

    def answer(self, fetch: Fetch, frame: Frame | None = None) -> None:
        self.now_ns += 1_000_000
        frame = frame or self.venue.fetch(fetch.path)
        if not fetch.key.startswith("audit:"):
            self.seen[frame.wire] = max(self.seen.get(frame.wire, 0), frame.version)
        self._carry_out(self.feed.fetched(fetch.key, frame.payload, self.now_ns))

    def pass_time(self, seconds: float) -> None:
        """Move the clock in steps of a tenth of a second, with a tick at each."""
        for _ in range(round(seconds * 10)):
            self.now_ns += SECOND_NS // 10
            self._carry_out(self.feed.tick(self.now_ns))

    def settle(self) -> None:
        """Let everything through until every row is live, as a healthy venue would."""
        for _ in range(ROUNDS_MAX):
            if self.reconnects and not self.is_connected:
                self.connect()
            self.flush()
            while self.fetches:
                self.answer(self.fetches.popleft())
            if all(self.is_live(wire) for wire in self.wires) and not self.replies:
                return
            for wire in self.wires:
                self.change(wire)
            self.pass_time(0.3)
        raise AssertionError(f"not live after {ROUNDS_MAX} rounds: {self.board.faults}")

    def is_live(self, wire: str) -> bool:
        return self.board.is_live(self.rows[wire])

    def faults(self, fault: Fault) -> int:
        return self.board.faults[self.feed.venue, fault]

    def book(self, wire: str) -> Sides:
        """Return the row in ticks and lots."""
        row = self.rows[wire]
        instrument = self.board.instruments[row]
        bids, asks = (
            {
                int(instrument.price_of(price) / TICK): int(instrument.size_of(size) / LOT)
                for price, size in side
            }
            for side in self.board.top_levels(row, 1_000_000)
        )
        return bids, asks

    def assert_true(self) -> None:
        """Assert the invariant: a row that says it is live is the venue's book as last seen."""
        for wire in self.wires:
            if self.is_live(wire):
                version = self.seen[wire]
                assert self.book(wire) == self.venue.truth.history[wire, version], wire

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Send(text=text):
                    self.sent.append(text)
                    if not self.is_mute:
                        self.replies.extend(self.venue.receive(text))
                case Fetch():
                    if all(action.key != waiting.key for waiting in self.fetches):
                        self.fetches.append(action)
                case Reconnect(why=why):
                    self.reconnects.append(why)
                    self.lose()


def live_line(name: str, *, seed: int = 1, limits: FeedLimits | None = None) -> Line:
    """Make a line whose rows are all live."""
    line = Line(name, seed=seed, limits=limits)
    line.connect()
    line.settle()
    line.assert_true()
    return line
