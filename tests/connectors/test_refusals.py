"""One refused or halted instrument is out, with its reason; the others are live."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import msgspec
import pytest

from engine.connectors.specs import spec_of
from engine.domain.faults import Fault
from engine.market.board import Board
from engine.ports import Action, Feed, FeedLimits, LevelForm, ListedRow, Reconnect, Relist, Send
from tests.reference.world import SECOND, START_NS, make_instrument

WIRES = {
    "coinbase": ("BTC-USD", "ETH-USD", "LTC-BTC"),
    "gemini": ("btcusd", "ethusd", "ltcbtc"),
    "bitstamp": ("btcusd", "ethusd", "ltcbtc"),
    "kraken": ("XBTUSD", "ETHUSD", "LTCXBT"),
    "ccxt-kucoin": ("BTC/USD", "ETH/USD", "LTC/BTC"),
}
PAIRS = ("BTC-USD", "ETH-USD", "LTC-BTC")
FEEDS = [
    ("coinbase", "level2"),
    ("gemini", "depth"),
    ("gemini", "l2"),
    ("bitstamp", "diff"),
    ("kraken", "book"),
    ("ccxt-kucoin", "stream"),
    ("ccxt-kucoin", "poll"),
]
TOLD = {"XBTUSD": "BTC/USD", "ETHUSD": "ETH/USD", "LTCXBT": "LTC/BTC"}
"""How a venue names an instrument in its frames, where it is not by its wire name."""

REFUSED = {
    ("coinbase", "level2"): {"type": "error", "message": "invalid: %s"},
    ("gemini", "depth"): {"id": "1", "status": 400, "error": {"msg": "Invalid stream: %s@depth"}},
    ("gemini", "l2"): {"result": "error", "reason": "InvalidSymbol", "message": "%s is none"},
    ("kraken", "book"): {
        "error": "Currency pair not supported %s",
        "method": "subscribe",
        "success": False,
    },
    ("ccxt-kucoin", "stream"): {"type": "refused", "why": "no market %s"},
    ("ccxt-kucoin", "poll"): {"type": "refused", "why": "no market %s"},
    ("bitstamp", "diff"): {
        "event": "bts:error",
        "channel": "",
        "data": {"code": None, "message": "Bad channel diff_order_book_%s"},
    },
}


class World:
    """A feed of three instruments and what it wants done."""

    def __init__(self, venue: str, name: str) -> None:
        instruments = [
            replace(make_instrument(venue, pair), wire_name=wire)
            for pair, wire in zip(PAIRS, WIRES[venue], strict=True)
        ]
        self.wires = WIRES[venue]
        self.board = Board(instruments)
        maker = spec_of(venue).feeds[name]
        self.feed: Feed = maker(instruments, range(3), self.board, FeedLimits())
        self.now_ns = START_NS
        self.refusal = REFUSED[venue, name]
        self.opened = self.feed.opened(self.now_ns)

    def listed(self, closed: Mapping[str, str]) -> Sequence[Action]:
        """Hand the feed a list of its instruments; by wire name why those are closed that are."""
        rows = [
            ListedRow(book=book, instrument=one, closed=closed.get(one.wire_name, ""))
            for book, one in enumerate(self.board.instruments)
        ]
        return self.feed.listed(rows, self.now_ns)

    def refuse(self, wire: str) -> Sequence[Action]:
        text = msgspec.json.encode(self.refusal).decode().replace("%s", wire)
        return self.feed.frame(text.encode(), self.now_ns)

    def tick(self, seconds: float = 0.3) -> Sequence[Action]:
        self.now_ns += int(seconds * SECOND)
        return self.feed.tick(self.now_ns)

    def asked(self, actions: Sequence[Action]) -> set[str]:
        """Return the wire names that some text of these actions holds."""
        texts = " ".join(one.text for one in actions if isinstance(one, Send)).lower()
        return {wire for wire in self.wires if TOLD.get(wire, wire).lower() in texts}


@pytest.fixture(params=FEEDS, ids="-".join)
def world(request: pytest.FixtureRequest) -> World:
    return World(*request.param)


def test_a_refused_name_is_out_and_the_list_is_asked_again(world: World) -> None:
    actions = world.refuse(world.wires[1])

    assert Relist() in actions
    assert not any(isinstance(one, Reconnect) for one in actions)
    assert world.board.stale_reasons == [None, Fault.REFUSED, None]
    assert world.wires[1] in world.board.notes[1]
    assert world.wires[1] not in world.asked(actions)


def test_without_a_name_rows_are_asked_for_one_by_one_until_one_is_refused(world: World) -> None:
    first = world.asked(world.refuse("something"))
    assert len(first) == 1
    refused = world.refuse("something")

    out = [reason is Fault.REFUSED for reason in world.board.stale_reasons]
    assert sum(out) == 1
    assert world.wires[out.index(True)] in first
    assert world.asked(refused).isdisjoint(first)
    assert not any(isinstance(one, Reconnect) for one in refused)


def test_when_every_row_is_refused_the_connection_is_given_up(world: World) -> None:
    actions: Sequence[Action] = ()
    for wire in world.wires:
        actions = world.refuse(wire)

    assert any(isinstance(one, Reconnect) for one in actions)
    assert world.asked(world.feed.opened(world.now_ns)) == set(world.wires)


def test_a_list_that_says_it_is_open_asks_for_a_refused_row_again(world: World) -> None:
    world.refuse(world.wires[1])

    assert world.asked(world.listed({})) == {world.wires[1]}


def test_a_halted_row_is_out_over_reconnects_and_comes_back_by_the_list(world: World) -> None:
    world.board.replace(0, LevelForm.PAIRS, b"[[1,1]]", b"[[2,1]]", world.now_ns)
    world.listed({world.wires[0]: "limit only"})

    assert not world.board.is_live(0)
    assert world.board.stale_reasons[0] is Fault.HALTED
    assert world.board.notes[0] == "limit only"
    world.feed.closed(world.now_ns)
    assert world.wires[0] not in world.asked(world.feed.opened(world.now_ns))
    for _ in range(60):
        assert world.wires[0] not in world.asked(world.tick(0.5))
    world.feed.opened(world.now_ns)
    assert world.asked(world.listed({})) == {world.wires[0]}


def test_a_venue_whose_rows_are_all_halted_is_left_in_peace(world: World) -> None:
    world.listed(dict.fromkeys(world.wires, "status BREAK"))

    for _ in range(120):
        assert not any(isinstance(one, Reconnect | Send) for one in world.tick(0.5))
