"""Orders at books are planned for real where venues take them, and within the limits there."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.exchanges import BALANCES_S_MAX, WORD_S_MAX
from engine.decide.venue_failures import REST_S
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders import Order
from engine.domain.orders_told import HeldAtVenue, OrderFate, OrderNews, VenueSeen
from engine.domain.plans import is_live
from engine.portfolio.inventory import Inventory
from tests.effort import examples
from tests.execute.live_books import Desk, news_of
from tests.reference.world import Setup, World, limit_set, make_instrument

VENUES = ("here", "there")


def make_world(
    *, trades: tuple[str, ...] = VENUES, mode: Mode = Mode.LIVE, **values: Decimal | int
) -> tuple[World, Desk]:
    desk = Desk(Random(1))
    world = World(
        Setup(
            mode=mode,
            trades=trades,
            trader=desk,
            values=limit_set(**values),
            instruments=[make_instrument(one) for one in dict.fromkeys((*VENUES, *trades))],
            inventory=lambda _of: Inventory(),
        )
    )
    return world, desk


def seen(
    world: World, venue: str, *, usd: str = "100000", btc: str = "1000", why_not: str = ""
) -> VenueSeen:
    return VenueSeen(
        venue=VenueId(venue),
        told=0,
        at_ns=world.now_ns,
        held=tuple(
            HeldAtVenue(asset=AssetCode(asset), free=Decimal(amount), held=Decimal(0))
            for asset, amount in (("USD", usd), ("BTC", btc))
        ),
        why_not=why_not,
    )


def ready(world: World) -> None:
    for venue in VENUES:
        world.see_venue(seen(world, venue))


def open_gap(world: World, *, size: str = "1") -> None:
    world.show(0, [("100.00", size)], [("100.10", size)])
    world.show(1, [("101.00", size)], [("101.20", size)])


def refusal(world: World) -> Refusal:
    (decided,) = world.journal.decided
    assert isinstance(decided.decision, Refusal)
    return decided.decision


def test_a_gap_between_venues_that_take_orders_is_placed_for_real_in_mode_live() -> None:
    world, desk = make_world()
    ready(world)

    open_gap(world)

    (plan,) = world.journal.plans
    assert is_live(plan)
    assert [len(request) for request in desk.requests] == [2]
    assert world.decider.live.under_way.total_usd > 0
    assert not world.circumstances.under_way.total_usd


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.OBSERVE])
def test_nothing_is_placed_in_any_lower_mode(mode: Mode) -> None:
    world, desk = make_world(mode=mode)
    ready(world)

    open_gap(world)

    assert desk.requests == []
    assert not any(is_live(one) for one in world.journal.plans)


def test_what_nobody_permitted_in_mode_approve_is_asked_as_a_live_plan() -> None:
    world, desk = make_world(mode=Mode.APPROVE)
    ready(world)

    open_gap(world)

    (approval,) = world.journal.asked
    assert is_live(approval.plan)
    assert desk.requests == []


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda _world: None, "nothing was heard of here"),
        (lambda world: world.see_venue(seen(world, "here"), is_whole=False), "not known yet"),
        (
            lambda world: world.see_venue(seen(world, "here", why_not="halted: 1 BTC is missing")),
            "1 BTC is missing",
        ),
    ],
)
def test_a_venue_that_cannot_be_reckoned_with_is_named_and_gets_no_order(
    break_it: Callable[[World], None], words: str
) -> None:
    world, desk = make_world()
    world.see_venue(seen(world, "there"))
    break_it(world)

    open_gap(world)

    assert refusal(world).reason is Reason.VENUE_UNREADY
    assert words in refusal(world).detail
    assert desk.requests == []


def test_the_word_of_a_venue_ends_by_time() -> None:
    world, _ = make_world()
    ready(world)
    world.wait((WORD_S_MAX + 1) * 1_000)

    open_gap(world)

    assert refusal(world).reason is Reason.VENUE_UNREADY
    assert f"at most {WORD_S_MAX} s" in refusal(world).detail


def test_balances_that_were_read_long_ago_are_not_reckoned_with() -> None:
    world, _ = make_world()
    ready(world)
    old = msgspec.structs.replace(
        seen(world, "here"), at_ns=world.now_ns - (BALANCES_S_MAX + 1) * 10**9
    )
    world.see_venue(old)

    open_gap(world)

    assert "were not compared" in refusal(world).detail


def test_a_venue_that_is_not_traded_is_named_in_mode_live_and_on_paper_in_mode_approve() -> None:
    live, _ = make_world(trades=("here",))
    asked, _ = make_world(trades=("here",), mode=Mode.APPROVE)

    open_gap(live)
    open_gap(asked)

    assert refusal(live).reason is Reason.NO_EXECUTOR
    assert "there" in refusal(live).detail
    assert not any(is_live(one.plan) for one in asked.journal.asked)


def test_what_is_not_at_the_venue_cannot_be_spent_whatever_there_is_on_paper() -> None:
    world, desk = make_world()
    world.see_venue(seen(world, "here", usd="0"))
    world.see_venue(seen(world, "there"))

    open_gap(world)

    assert refusal(world).reason is Reason.BALANCE_TOO_LOW
    assert desk.requests == []


def test_books_open_with_what_a_venue_has_and_a_difference_is_no_profit() -> None:
    world, _ = make_world()
    ready(world)
    world.see_venue(seen(world, "here", usd="99000"))

    first, *_, last = world.journal.on_chain
    assert not first.is_told
    assert last.is_told
    assert last.deposit.added.value == Decimal(-1_000)
    assert "than by any order of ours" in last.why
    held = world.decider.live.inventory.held((VenueId("here"), AssetCode("USD")))
    assert held == Decimal(99_000)
    assert world.decider.live.positions.realised_usd(world.now_ns) == 0


def test_what_a_venue_does_not_name_any_more_is_gone_from_the_books() -> None:
    world, _ = make_world()
    ready(world)
    bare = seen(world, "here")
    world.see_venue(msgspec.structs.replace(bare, held=bare.held[:1]))

    assert world.decider.live.inventory.held((VenueId("here"), AssetCode("BTC"))) == 0


def test_balances_are_not_taken_over_while_an_order_is_under_way_there() -> None:
    world, _ = make_world()
    ready(world)
    open_gap(world)
    before = len(world.journal.on_chain)

    world.see_venue(seen(world, "here", usd="1"))

    assert len(world.journal.on_chain) == before


def test_what_a_real_order_takes_is_not_planned_on_again_until_its_book_shows_it() -> None:
    world, desk = make_world(trades=(*VENUES, "else"), position_usd=100_000)
    ready(world)
    world.see_venue(seen(world, "else"))
    open_gap(world)
    assert len(desk.requests) == 1

    world.show(2, [("100.00", "1")], [("100.05", "1")])  # what is bid there is on its way to us

    assert world.journal.reasons == [Reason.LIQUIDITY_TAKEN]
    assert len(desk.requests) == 1
    world.wait(1_500)
    world.show(1, [("101.00", "1.5")], [("101.20", "1")])
    assert len(desk.requests) == 2


def test_a_venue_that_refuses_order_after_order_is_left_alone_and_tried_again() -> None:
    world, desk = make_world(venue_failures_max=2)

    def round_of_refusals(size: str) -> None:
        ready(world)
        open_gap(world, size=size)
        told = len(desk.sends)
        for send in desk.sends[told - 2 :]:
            assert isinstance(send.order, Order)
            world.tell_order(news_of(send.order, 1, OrderFate.REFUSED))
        world.wait(1)
        world.show(1, [("99.00", "1")], [("101.20", "1")])
        world.wait(1_500)

    round_of_refusals("1")
    round_of_refusals("1.1")
    sent = len(desk.requests)
    ready(world)
    open_gap(world, size="1.2")
    assert len(desk.requests) == sent == 2
    assert world.journal.reasons[-1] is Reason.VENUE_FAILURES

    world.show(1, [("99.00", "1")], [("101.20", "1")])
    world.wait(REST_S * 1_000)
    ready(world)
    open_gap(world, size="1.3")
    assert len(desk.requests) == sent + 1


@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(200), deadline=None)
def test_no_sequence_of_plans_fills_and_news_exceeds_a_limit_of_a_venue(seed: int) -> None:
    random = Random(seed)
    most = Decimal(random.choice([50, 120, 300]))
    rate = random.choice([4, 8])
    world, desk = make_world(
        venue_exposure_usd=most, orders_per_minute_max=rate, position_usd=1_000_000
    )
    desk.random = random
    untold: list[OrderNews] = []
    sent: set[str] = set()
    for _ in range(40):
        ready(world)
        world.wait(random.choice([1, 50, 2_000]))
        price = random.choice(["100.10", "101.50"])
        world.show(0, [("100.00", "2")], [(price, "2")])
        world.show(1, [("101.00", "2")], [("101.90", "2")])
        for name, news in desk.news.items():
            if name not in sent:
                sent.add(name)
                untold += news
        random.shuffle(untold)
        for word in untold[: random.randint(0, 6)]:
            world.tell_order(word)
        untold = untold[random.randint(0, 3) :]
        world.wait(1)
        world.tick()

        live = world.decider.live
        for venue in VENUES:
            under_way = live.under_way.usd_at(VenueId(venue))
            assert under_way <= most
        last_minute = world.circumstances.order_rate.last_minute(world.now_ns)
        assert last_minute <= rate + unwinding(desk)


def unwinding(desk: Desk) -> int:
    """Orders that only close are counted by the rate and not held by it."""
    return sum(send.order.purpose.value == "unwind" for send in desk.sends)


def test_paper_limits_know_nothing_of_venues() -> None:
    world, _ = make_world(mode=Mode.PAPER, trades=())
    paper = replace(world.circumstances)

    assert paper.money is Money.PAPER
    assert world.circumstances.of(Money.LIVE).money is Money.LIVE
