"""What every feed makes of rows that come, go and change while it is connected."""

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from engine.domain.faults import Fault
from engine.ports import Reconnect, Relist, Send
from tests.connectors.dialects import DIALECTS, Coinbase
from tests.connectors.line import Line, live_line

every_feed = pytest.mark.parametrize("name", DIALECTS)


@every_feed
def test_a_row_of_new_rules_is_built_and_the_former_one_is_dead(name: str) -> None:
    line = live_line(name)
    wire = line.wires[0]
    rules = replace(line.board.instruments[0], notional_min_quote=Decimal(25))
    new = line.board.add(rules)

    line.list([new, 1])

    assert not line.board.is_live(0)
    assert line.board.stale_reasons[0] is Fault.HALTED
    line.rows[wire] = new
    line.settle()
    for _ in range(20):
        line.change(wire)
    line.assert_true()
    line.pass_time(0.5)
    line.lose()
    line.connect()
    line.settle()
    line.assert_true()
    assert not line.board.is_live(0)
    assert not line.reconnects


@every_feed
def test_a_row_that_goes_takes_no_frame_and_is_built_when_it_comes_again(name: str) -> None:
    line = live_line(name)
    gone = line.wires[1]

    line.list([0])

    for _ in range(5):
        line.change(line.wires[0])
        line.change(gone)
    assert not line.board.is_live(1)
    assert line.board.top_levels(1, 1) == ([], [])
    assert line.board.is_live(0)
    line.list([0, 1])
    line.settle()
    line.assert_true()
    assert not line.reconnects


@every_feed
def test_the_first_rows_of_a_feed_that_had_none_are_built(name: str) -> None:
    line = Line(name)
    line.list([])
    line.connect()
    line.pass_time(60)
    assert not line.reconnects
    assert not line.fetches

    line.list([0, 1])
    assert not any(isinstance(one, Reconnect) for one in line.feed.tick(line.now_ns + 1))
    line.settle()

    line.assert_true()
    assert not line.reconnects


def status_of(line: Line, wire: str, status: str, **changes: str) -> bytes:
    venue = line.venue
    assert isinstance(venue, Coinbase)
    product = {"id": wire, "product_type": "SPOT", "status": status, "status_message": ""}
    return venue.status([product | changes])


def test_coinbase_is_asked_for_the_states_of_what_it_is_asked_for() -> None:
    line = Line("coinbase")
    line.connect()

    asked = [msgspec.json.decode(text) for text in line.sent]
    (status,) = [one for one in asked if one["channel"] == "status"]
    assert status == {"type": "subscribe", "product_ids": line.wires, "channel": "status"}

    line.settle()
    line.list([1])
    (*_, states) = [one for one in line.list([0, 1]) if isinstance(one, Send)]
    assert msgspec.json.decode(states.text)["channel"] == "status"
    assert msgspec.json.decode(states.text)["product_ids"] == [line.wires[0]]


def test_a_product_that_a_frame_takes_offline_is_out_at_once_and_back_by_the_list() -> None:
    line = live_line("coinbase")
    wire = line.wires[0]
    assert line.feed.frame(status_of(line, wire, "online"), line.now_ns) == ()

    assert line.feed.frame(status_of(line, wire, "offline"), line.now_ns) == (Relist(),)
    assert not line.board.is_live(0)
    assert line.board.stale_reasons[0] is Fault.HALTED
    assert line.board.notes[0] == "status offline"
    assert line.board.is_live(1)

    assert line.feed.frame(status_of(line, wire, "offline"), line.now_ns) == ()
    assert line.list([0, 1]) == ()  # the list is older than the frame
    assert not line.board.is_live(0)

    assert line.feed.frame(status_of(line, wire, "online"), line.now_ns) == (Relist(),)
    assert not line.board.is_live(0)
    line.list([0, 1])
    line.settle()
    line.assert_true()


def test_a_market_that_is_online_and_limit_only_is_asked_for_once_and_not_forever() -> None:
    line = live_line("coinbase")
    line.list([0], closed="limit only")

    told = [line.feed.frame(status_of(line, line.wires[0], "online"), line.now_ns) for _ in "abc"]

    assert told == [(Relist(),), (), ()]
    assert not line.board.is_live(0)


def test_rules_that_a_frame_shows_to_be_others_make_the_list_be_asked_for() -> None:
    line = live_line("coinbase")
    wire = line.wires[0]
    line.feed.frame(status_of(line, wire, "online", quote_increment="0.01"), line.now_ns)

    told = line.feed.frame(status_of(line, wire, "online", quote_increment="0.1"), line.now_ns)

    assert told == (Relist(),)
    assert line.board.is_live(0)


def test_a_status_that_is_not_understood_costs_the_connection() -> None:
    line = live_line("coinbase")
    venue = line.venue
    assert isinstance(venue, Coinbase)

    told = line.feed.frame(venue.status([{"id": line.wires[0]}]), line.now_ns)

    assert isinstance(told[0], Reconnect)
    assert not line.board.is_live(0)
