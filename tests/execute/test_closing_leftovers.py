"""What a person says yes to is one order within its terms, once, and the books add up after it."""

from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decide.closing import OFFERED_S, Reckoned, closing_terms
from engine.domain.assets import Amount
from engine.domain.errors import FatalError
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Reason, Refusal
from engine.domain.orders import Execution, Order
from engine.domain.orders_told import FillTold, OrderFate
from engine.domain.plans import LeggedPlan, digest_of_plan
from engine.domain.residuals import Residual
from engine.domain.switched_off import Off
from engine.execute.closing import Closing, reckon_closing
from engine.execute.unwinding import UnwindRules
from engine.portfolio.inventory import Inventory
from tests.decide.test_live_books import make_world, ready, seen
from tests.effort import examples
from tests.execute.live_books import Desk, news_of
from tests.reference.world import AGE_NS_MAX, START_NS, Setup, World, make_holding, make_instrument

BIDS = [("100.00", "1"), ("99.90", "2"), ("99.00", "50")]
ASKS = [("100.20", "1"), ("100.30", "2"), ("101.50", "50")]
HERE = VenueId("here")
HERE_OFF = Off(name=HERE, since_ns=START_NS)


def left(held: str, carry: str) -> Residual:
    return Residual(venue=HERE, held=Amount.of(held, "BTC"), carry=Amount.of(carry, "USD"))


def paper_world(*residuals: Residual, **setup: object) -> World:
    world = World(
        Setup(
            instruments=[make_instrument("here"), make_instrument("there")],
            fee_bps="10",
            inventory=lambda of: Inventory(
                holdings=[
                    make_holding(one.venue, asset, "1000")
                    for one in of
                    for asset in (one.pair.base, one.pair.quote)
                ]
            ),
            **setup,  # type: ignore[arg-type]
        )
    )
    world.positions.restore(residuals=residuals, realised_usd=Decimal(0), at_ns=START_NS)
    world.show(0, BIDS, ASKS)
    return world


def reckon(world: World, residual: Residual, *, band_bps: int = 50) -> Reckoned:
    found = reckon_closing(
        residual,
        world.board,
        costs=world.costs,
        rules=UnwindRules(band_bps=Decimal(band_bps)),
        age_ns_max=AGE_NS_MAX,
        at_ns=world.now_ns,
    )
    assert isinstance(found, Closing)
    assert found.reckoned is not None
    return found.reckoned


def terms_of(
    world: World, residual: Residual, *, money: Money = Money.PAPER, number: int = 1
) -> LeggedPlan:
    return closing_terms(
        reckon(world, residual),
        money,
        run_id="r1",
        number=number,
        usd_per_quote=Decimal(1),
        at_ns=world.now_ns,
    )


def finish(world: World) -> list[Execution]:
    """Let what is under way meet its books."""
    for _ in range(4):
        world.wait(1_000)
        world.tick()
    return [one.execution for one in world.journal.ended]


@pytest.mark.parametrize(("held", "carry"), [("2", "210"), ("-2", "-190")])
def test_a_leftover_is_closed_for_what_was_shown_and_is_gone(held: str, carry: str) -> None:
    residual = left(held, carry)
    world = paper_world(residual)
    terms = terms_of(world, residual)

    world.close_leftovers(terms)
    (execution,) = finish(world)

    assert world.positions.residuals == ()
    assert execution.profit_quote == terms.profit_quote == execution.expected_usd
    assert world.positions.realised_usd(world.now_ns) == terms.profit_quote
    assert execution.residuals == (-residual,)
    assert world.circumstances.under_way.total_usd == len(world.circumstances.under_way) == 0


def test_what_the_book_does_not_have_stays_left_over_with_its_share() -> None:
    residual = left("5", "500")
    world = paper_world(residual)

    world.close_leftovers(terms_of(world, residual))
    finish(world)

    assert world.positions.residuals == (left("2", "200"),)


def test_nothing_is_closed_twice() -> None:
    residual = left("2", "210")
    world = paper_world(residual)
    terms, other = terms_of(world, residual), terms_of(world, residual, number=2)

    world.close_leftovers(terms, terms, other)
    finish(world)
    world.close_leftovers(other)
    finish(world)

    begun, *refused = world.journal.closings
    assert isinstance(begun, LeggedPlan)
    assert [one.detail for one in refused if isinstance(one, Refusal)] == [
        "it is being closed already",
        "it is being closed already",
        "0 BTC is left over by now",
    ]
    assert len(world.journal.ended) == 1


def test_the_same_leftover_of_both_moneys_is_two() -> None:
    residual = left("2", "210")
    world = paper_world(residual)
    world.circumstances.live.positions.restore(
        residuals=[residual], realised_usd=Decimal(0), at_ns=START_NS
    )

    world.close_leftovers(terms_of(world, residual))
    finish(world)

    assert world.positions.residuals == ()
    assert world.circumstances.live.positions.residuals == (residual,)


def refusal_of(world: World, terms: LeggedPlan) -> Refusal:
    world.close_leftovers(terms)
    (refusal,) = world.journal.closings
    assert isinstance(refusal, Refusal)
    assert world.journal.ended == []
    assert world.decider.closings.why_not(terms, world.now_ns) == refusal.detail
    return refusal


def owe_instead(world: World) -> None:
    world.positions.restore(residuals=[left("-3", "-300")], realised_usd=Decimal(0), at_ns=START_NS)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda world: setattr(world, "is_killed", True), Reason.KILLED),
        (lambda world: setattr(world.switches, "mode", Mode.OBSERVE), Reason.OBSERVE_ONLY),
        (lambda world: setattr(world, "is_ledger_behind", True), Reason.LEDGER_BEHIND),
        (lambda world: world.wait(OFFERED_S * 1_000 + 1), Reason.TERMS_LEFT),
        (lambda world: world.decider.off.take([HERE_OFF]), Reason.SWITCHED_OFF),
        (lambda world: world.inventory.add([spent()]), Reason.BALANCE_TOO_LOW),
        (owe_instead, Reason.TERMS_LEFT),
    ],
)
def test_a_shut_gate_closes_nothing_and_says_which(spoil: object, reason: Reason) -> None:
    residual = left("2", "210")
    world = paper_world(residual)
    terms = terms_of(world, residual)
    assert callable(spoil)
    spoil(world)

    assert refusal_of(world, terms).reason is reason


def spent() -> Execution:
    """All base but one is gone."""
    other = paper_world(left("999", "99900"))
    other.show(0, [("100.00", "5000")], ASKS)
    other.close_leftovers(terms_of(other, left("999", "99900")))
    return finish(other)[0]


def test_a_pause_and_losses_hold_no_closing_up() -> None:
    residual = left("2", "400")
    world = paper_world(residual)
    world.switches.is_paused = True
    world.positions.spend(Decimal(10_000), world.now_ns)

    world.close_leftovers(terms_of(world, residual))
    finish(world)

    assert world.positions.residuals == ()


def test_no_plan_calls_itself_a_closing_without_a_persons_yes() -> None:
    residual = left("2", "210")
    world = paper_world(residual)
    terms = terms_of(world, residual)

    with pytest.raises(FatalError, match="no person said yes"):
        world.executors.start(terms, world.now_ns)


def test_an_order_goes_no_further_than_was_said_yes_to() -> None:
    residual = left("2", "210")
    world = paper_world(residual)
    world.close_leftovers(terms_of(world, residual))
    world.show(0, [("99.00", "5")], ASKS)  # the best is behind the limit by the time it arrives
    (execution,) = finish(world)

    assert not execution.is_traded
    assert execution.profit_quote == 0
    assert world.positions.residuals == (residual,)


# ---- live ------------------------------------------------------------------------------------


def live_world(residual: Residual, *, mode: Mode = Mode.LIVE) -> tuple[World, Desk]:
    world, desk = make_world(mode=mode)
    ready(world)
    world.circumstances.live.positions.restore(
        residuals=[residual], realised_usd=Decimal(0), at_ns=START_NS
    )
    world.show(0, BIDS, ASKS)
    return world, desk


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.APPROVE])
def test_a_real_leftover_is_one_real_order_with_what_the_person_said_yes_to(mode: Mode) -> None:
    residual = left("2", "210")
    world, desk = live_world(residual, mode=mode)
    terms = terms_of(world, residual, money=Money.LIVE)

    world.close_leftovers(terms)
    (send,) = desk.sends
    order = send.order
    assert isinstance(order, Order)
    sold = FillTold(
        fill_id="t1",
        filled_at_ns=world.now_ns,
        price=Decimal("99.95"),
        size_base=Decimal(2),
        fee=Decimal("0.2"),
        fee_asset=residual.carry.asset,
    )
    world.tell_order(news_of(order, 1, OrderFate.FILLED, [sold]))
    (execution,) = finish(world)

    assert desk.approved == [terms]
    assert send.plan.permit is not None
    assert send.plan.permit.digest == digest_of_plan(terms)
    assert (order.size_base, order.price_limit) == (Decimal(2), terms.legs[0].price_limit)
    assert execution.profit_quote == Decimal("199.90") - Decimal("0.2") - 210
    assert world.circumstances.live.positions.residuals == ()


@pytest.mark.parametrize(
    ("mode", "spoil", "reason"),
    [
        (Mode.PAPER, lambda _world: None, Reason.OBSERVE_ONLY),
        (
            Mode.LIVE,
            lambda world: world.see_venue(seen(world, "here", why_not="it is halted")),
            Reason.VENUE_UNREADY,
        ),
    ],
)
def test_no_real_order_leaves_in_a_lower_mode_or_where_a_venue_takes_none(
    mode: Mode, spoil: object, reason: Reason
) -> None:
    residual = left("2", "210")
    world, desk = live_world(residual, mode=mode)
    terms = terms_of(world, residual, money=Money.LIVE)
    assert callable(spoil)
    spoil(world)

    assert refusal_of(world, terms).reason is reason
    assert desk.sends == []


@settings(max_examples=examples(80), deadline=None)
@given(
    held=st.integers(-6_000, 6_000).filter(bool).map(lambda n: Decimal(n) / 1_000),
    carry=st.integers(1, 90_000).map(lambda n: Decimal(n) / 100),
    seed=st.integers(0, 10_000),
)
def test_whatever_fills_money_is_neither_made_nor_lost(
    held: Decimal, carry: Decimal, seed: int
) -> None:
    random = Random(seed)
    carry = carry.copy_sign(held)
    residual = left(f"{held}", f"{carry}")
    world = paper_world(residual)
    before = {
        place: world.inventory.held(place)
        for place in ((HERE, residual.held.asset), (HERE, residual.carry.asset))
    }
    for number in range(1, 30):
        if not world.positions.residuals:
            break
        (now,) = world.positions.residuals
        world.show(0, [("100.00", "1"), ("99.90", f"{random.randint(1, 3)}")], ASKS)
        world.close_leftovers(terms_of(world, now, number=number))
        if random.random() < 0.5:
            world.show(0, [("99.95", f"{random.random():.5f}")], [("100.25", "0.7")])
        finish(world)

    base, cash = (world.inventory.held(place) - was for place, was in before.items())
    kept = exact_sum(one.held.value for one in world.positions.residuals)
    kept_carry = exact_sum(one.carry.value for one in world.positions.residuals)
    assert kept - held == base
    realised = exact_sum(one.execution.realised_usd for one in world.journal.ended)
    assert realised == cash - carry + kept_carry
    assert world.positions.edge.count == 0


def test_a_closing_keeps_its_form_when_it_is_written_and_read() -> None:
    residual = left("2", "210")
    terms = terms_of(paper_world(residual), residual)

    read = msgspec.json.decode(msgspec.json.encode(terms), type=LeggedPlan)

    assert read == terms
    assert digest_of_plan(read) == digest_of_plan(terms)
