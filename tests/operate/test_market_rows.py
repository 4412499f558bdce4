"""Rows come, go and change with a venue's list, and all parts of a run follow."""

from array import array
from dataclasses import replace
from decimal import Decimal

import pytest

from engine.core.market_rows import NOT_LISTED, MarketRows
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.faults import Fault
from engine.domain.holdings import Capital
from engine.domain.instruments import Instrument, VenueId
from engine.domain.opportunities import Reason
from engine.market.lateness import Lateness
from engine.portfolio.inventory import Inventory
from engine.ports import NO_TIME, Listed, ListedRow
from tests.reference.world import MS, SECOND, Setup, World, make_holding, make_instrument

HERE, THERE = VenueId("here"), VenueId("there")
BTC, ETH = make_instrument("there"), make_instrument("there", "ETH-USD")
STRICT = replace(BTC, size_min_base=Decimal(5))
LOW = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])


class Lists:
    """A world whose venues list anew, with feeds that only shut what is not listed."""

    def __init__(self, world: World) -> None:
        self.world = world
        books: list[list[int]] = [[0], [1]]
        self.behind = [array("q", [NO_TIME]) for _ in books]
        self.lateness = Lateness(world.board, self.behind, books, lag_ms_max=1_000)
        self.rows = MarketRows(
            world.board,
            [HERE, THERE],
            books,
            detector=world.detector,
            inventory=world.inventory,
            lateness=self.lateness,
            followers=(world.valuation.take_rows,),
        )

    def list(self, *listed: Instrument, closed: str = "", usd: int = 0) -> list[ListedRow]:
        """One input: the list of the venue there."""
        world = self.world
        world.pipeline.before_input(world.now_ns)
        world.board.frame_seq += 1
        before = set(self.rows.books[1])
        capital = [
            Capital(venue=THERE, asset=asset, usd=Decimal(usd))
            for one in listed
            for asset in (one.pair.base, one.pair.quote)
        ]
        rows, is_changed = self.rows.take(
            1,
            [Listed(instrument=one, closed=closed) for one in listed],
            capital,
            world.now_ns,
        )
        for book in before - {row.book for row in rows if not row.closed}:
            world.board.invalidate(book, Fault.HALTED, world.now_ns)
        if is_changed:
            world.pipeline.rows_changed(world.now_ns)
        world.pipeline.after_input(world.now_ns)
        return rows


def test_a_pair_that_is_listed_later_is_found_and_traded() -> None:
    places = [(venue, asset) for venue in ("here", "there") for asset in ("BTC", "USD")]
    holdings = [make_holding(venue, asset, "1000000") for venue, asset in places]
    world = World(
        Setup(
            instruments=[make_instrument("here"), ETH],
            inventory=lambda _: Inventory(holdings=holdings),
        )
    )
    lists = Lists(world)
    world.show(0, *LOW)

    rows = lists.list(ETH, BTC)

    assert [row.book for row in rows] == [1, 2]
    assert lists.rows.books[1] == [1, 2]
    world.show(2, *HIGH)
    (plan,) = world.journal.plans
    assert [hop.row for hop in plan.opportunity.hops] == [0, 2]
    world.wait(50)
    world.tick()
    (finished,) = world.journal.finished
    assert all(order.fills for order in finished.execution.orders)


def test_changed_rules_close_the_route_and_a_plan_under_way_keeps_its_own() -> None:
    world = World()
    lists = Lists(world)
    world.show(0, *LOW)
    world.show(1, *HIGH)
    (plan,) = world.journal.plans

    (row,) = lists.list(STRICT)

    assert row == ListedRow(book=2, instrument=STRICT)
    assert [one.opportunity_id for one in world.journal.closed] == [plan.opportunity.opportunity_id]
    world.wait(50)
    world.tick()
    world.wait(5_000)
    world.tick()
    (finished,) = world.journal.finished
    assert {order.instrument for order in finished.execution.orders} == {
        make_instrument("here"),
        BTC,
    }
    world.show(0, *LOW)
    world.show(2, *HIGH)
    assert world.journal.found[-1].hops[-1].row == 2
    assert world.journal.reasons[-1] is Reason.SIZE_BELOW_MIN
    assert world.journal.plans == [plan]


def test_rules_that_come_and_go_take_no_more_room() -> None:
    world = World()
    lists = Lists(world)

    books = [lists.list(rules)[0].book for rules in (STRICT, BTC, STRICT, BTC)]

    assert books == [2, 1, 2, 1]
    assert world.board.former == {2}
    assert len(world.board.instruments) == 3


def test_what_is_not_listed_any_more_is_closed_and_comes_back_in_its_row() -> None:
    lists = Lists(World())

    assert lists.list() == [ListedRow(book=1, instrument=BTC, closed=NOT_LISTED)]
    assert lists.list(BTC, closed="limit only") == [
        ListedRow(book=1, instrument=BTC, closed="limit only")
    ]
    assert lists.list(BTC) == [ListedRow(book=1, instrument=BTC)]
    assert lists.rows.books == [[0], [1]]


def test_what_finds_no_room_is_told_and_never_traded_by_old_rules() -> None:
    world = World()
    lists = Lists(world)
    room = world.board.capacity - len(world.board.instruments)
    others = [replace(STRICT, size_min_base=Decimal(n)) for n in range(1, room + 1)]
    for rules in others:
        lists.list(rules)
    assert lists.rows.left_out[1] == []

    rows = lists.list(replace(STRICT, size_min_base=Decimal(room + 1)), ETH)

    assert [row.book for row in rows] == [world.board.capacity - 1]
    assert "no room" in rows[0].closed
    assert lists.rows.left_out[1] == ["BTC-USD", "ETH-USD"]
    assert lists.list(others[0])[0].closed == ""
    assert lists.rows.left_out[1] == []


def test_new_assets_get_their_paper_money_and_those_that_started_keep_what_they_have() -> None:
    world = World()
    lists = Lists(world)
    lists.list(BTC, usd=1_000)
    world.show(0, *LOW)
    world.tick()
    first = {one.added.asset for one in world.journal.deposits if one.venue == THERE}

    lists.list(BTC, ETH, usd=500)
    world.wait(100)
    world.tick()
    assert {one.added.asset for one in world.journal.deposits} == first  # ETH has no price yet
    world.show(2, [("2000", "1")], [("2001", "1")])
    world.tick()

    added = [one for one in world.journal.deposits if one.added.asset == AssetCode("ETH")]
    assert [(one.venue, one.started_usd) for one in added] == [(THERE, Decimal(500))]


def test_a_row_that_joins_a_late_stream_is_held_until_that_is_in_time() -> None:
    world = World()
    lists = Lists(world)
    lists.behind[1][0] = 0
    lists.lateness.judge(1, 0, world.now_ns)
    lists.behind[1][0] = 5 * SECOND
    lists.lateness.judge(1, 0, world.now_ns)

    lists.list(STRICT)
    world.show(2, *HIGH)
    assert not world.board.is_live(2)

    lists.behind[1][0] = MS
    lists.lateness.judge(1, 0, world.now_ns)
    assert world.board.is_live(2)
    assert not world.board.is_live(1)


def test_a_list_of_another_venue_is_no_recording_of_ours() -> None:
    lists = Lists(World())

    with pytest.raises(BadValueError, match="damaged"):
        lists.list(make_instrument("elsewhere"))
