"""A fee that is set while running is reckoned with everywhere from the next decision on."""

from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.bus.notices import FeeChanged
from engine.core.inputs.fees_set import FeesSet
from engine.core.inputs.venue_seen import VenueLooked
from engine.domain.errors import BadValueError
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.orders_told import VenueSeen
from engine.domain.plans import LeggedPlan
from engine.domain.units import NS_PER_S
from engine.operate.run_header import RunHeader
from engine.portfolio.costs import ceil_share
from engine.portfolio.fee_set import FeeSet
from engine.quote.gap import Confirmed
from tests.reference.engine import BUY_AT, SELL_AT, Engine, header_of
from tests.reference.gaps import make_gap
from tests.reference.world import START_NS

CHEAP = ([("99.90", "9")], [("100.00", "9")])
DEAR = ([("100.30", "9")], [("100.50", "9")])
"""A gap of 30 bps: 22.5 net of 3 and 4 bps in fees and of half a bps of transfer."""


def set_fees(engine: Engine, **bps: str) -> None:
    """One input: all that is set."""
    held = engine.core.fees.by_settings
    words = {
        VenueId(venue): FeeWord(
            bps=Decimal(value), instead_of_bps=held[VenueId(venue)], since_ns=START_NS
        )
        for venue, value in bps.items()
    }
    engine.core.hot_path.command(FeesSet(fees=words), engine.now_ns)


def open_gap(engine: Engine) -> None:
    engine.show(0, *CHEAP)
    engine.show(1, *DEAR)


def funded(header: RunHeader | None = None) -> Engine:
    engine = Engine(header or header_of())
    engine.fund()
    return engine


def net_bps(engine: Engine) -> float:
    return engine.core.spread_watch.now(engine.now_ns)[0].net_bps


def plans(engine: Engine) -> list[LeggedPlan]:
    found = [entry.plan for entry in engine.core.journal.recent.newest]
    return [one for one in found if isinstance(one, LeggedPlan)]


def test_a_higher_fee_is_reckoned_with_at_once_in_what_is_open_and_ends_what_it_eats() -> None:
    engine = funded()
    set_fees(engine, binance="4.5")
    open_gap(engine)
    (episode,) = engine.core.detector.open_episodes
    (plan,) = plans(engine)
    sale = plan.legs[1]
    assert sale.fee_quote == ceil_share(sale.notional_quote, Decimal("4.5"))

    set_fees(engine, binance="6.5")
    assert engine.core.detector.newest(episode).net_edge_bps == pytest.approx(20.0, abs=0.1)
    set_fees(engine, binance="60")
    assert engine.core.detector.open_episodes == ()


def test_a_lower_fee_finds_at_once_what_it_makes_pay_while_no_book_moves() -> None:
    engine = funded()
    set_fees(engine, binance="40", coinbase="40")
    open_gap(engine)
    assert engine.core.journal.counts.found == 0
    assert net_bps(engine) == pytest.approx(-50.6, abs=0.1)

    set_fees(engine)

    (plan,) = plans(engine)
    assert plan.legs[0].fee_quote * 10_000 == plan.legs[0].notional_quote * 3
    assert net_bps(engine) == pytest.approx(22.5, abs=0.1)


def test_how_far_a_price_may_be_behind_goes_by_the_new_fee() -> None:
    engine = funded()
    gap, confirmer = make_gap(*engine.core.board.instruments), engine.core.decider._confirmer
    confirmer.confirm(gap, Decimal(1))
    set_fees(engine, coinbase="4000")
    engine.show(1, [("140.22", "9")], [("140.50", "9")])

    confirmed = confirmer.confirm(gap, Decimal(1))

    # Of the 4.9 cents above the least edge a half may be paid: 1.7 on the price, 0.7 on the fee.
    assert isinstance(confirmed, Confirmed)
    assert confirmed.legs[0].price_limit == Decimal("100.01")


@settings(max_examples=25, deadline=None)
@given(
    words=st.lists(
        st.tuples(
            st.sampled_from([BUY_AT, SELL_AT]), st.decimals(0, 40, places=2, allow_nan=False)
        ),
        min_size=1,
        max_size=3,
    ),
    moves=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60)), min_size=1, max_size=4),
)
def test_it_decides_byte_for_byte_as_a_run_does_whose_settings_say_so(
    words: list[tuple[VenueId, Decimal]], moves: list[tuple[int, int]]
) -> None:
    header = header_of()
    terms = dict(header.terms.venues)
    for venue, bps in words:
        terms[venue] = structs.replace(terms[venue], fee_bps_taker=bps)
    by_settings = funded(structs.replace(header, terms=structs.replace(header.terms, venues=terms)))
    running = funded(header)
    gap = make_gap(*running.core.board.instruments)
    for engine in (by_settings, running):  # what is worked out once for two books is worked out
        engine.core.decider._confirmer.confirm(gap, Decimal(1))
        for count in range(1, len(words) + 1):
            said = words[:count] if engine is running else []
            set_fees(engine, **{venue: str(bps) for venue, bps in said})
        for book, step in moves:
            bid = Decimal(100) + Decimal(step) / 100
            engine.show(book, [(f"{bid:.2f}", "9")], [(f"{bid + Decimal('0.1'):.2f}", "9")])
            engine.tick(50)

    assert running.lines == by_settings.lines


def test_what_makes_no_sense_changes_nothing_and_says_so_with_its_unit() -> None:
    fees = FeeSet({BUY_AT: Decimal(3)})
    for bps, why in (
        ("-1", "taker fee of coinbase is -1 bps; it must be 0 or more and below 10000"),
        ("10000", "is 10000 bps; it must be 0 or more"),
        ("NaN", "is NaN bps"),
        ("1.00001", "is 1.00001 bps; it may have 4 decimals at most"),
    ):
        with pytest.raises(BadValueError, match=why):
            fees.with_one(BUY_AT, Decimal(bps), at_ns=0)
    word = FeeWord(bps=Decimal(-1), instead_of_bps=Decimal(3), since_ns=0)
    with pytest.raises(BadValueError, match="must be 0 or more"):
        fees.take({BUY_AT: word})
    assert fees.in_force == {BUY_AT: 3}
    assert not fees.by_operator


def test_settings_that_say_another_fee_by_now_make_the_higher_one_hold() -> None:
    words = FeeSet({BUY_AT: Decimal(10)}).with_one(BUY_AT, Decimal(6), at_ns=0)

    for by_settings, holds in (("10", "6"), ("15", "15"), ("8", "8"), ("5", "6")):
        fees = FeeSet({BUY_AT: Decimal(by_settings)}, words)
        assert fees.in_force == {BUY_AT: Decimal(holds)}
        assert fees.with_one(BUY_AT, None, at_ns=0) == {}


def test_what_was_said_of_a_venue_that_is_away_is_kept() -> None:
    words = FeeSet({BUY_AT: Decimal(10), SELL_AT: Decimal(5)}).with_one(
        SELL_AT, Decimal(9), at_ns=0
    )

    without = FeeSet({BUY_AT: Decimal(10)}, words)
    words = without.with_one(BUY_AT, Decimal(11), at_ns=0)

    assert FeeSet({BUY_AT: Decimal(10), SELL_AT: Decimal(5)}, words).in_force == {
        BUY_AT: 11,
        SELL_AT: 9,
    }


# ---- the venue's word on our tier ---------------------------------------------------------------

HOUR_NS = 3_600 * NS_PER_S


def hear(engine: Engine, venue: VenueId, bps: str, *, age_ns: int = 0) -> None:
    """One input: a venue was looked at, and tells the fee of our tier."""
    seen = VenueSeen(
        venue=venue,
        told=0,
        at_ns=engine.now_ns,
        held=(),
        taker_bps=Decimal(bps),
        fees_at_ns=engine.now_ns - age_ns,
    )
    engine.core.hot_path.command(VenueLooked(seen=seen, is_whole=False), engine.now_ns)


def test_the_fee_of_our_tier_is_reckoned_with_at_once_in_what_is_open_and_ends_what_it_eats() -> (
    None
):
    engine = funded()
    hear(engine, SELL_AT, "4.5")
    open_gap(engine)
    (episode,) = engine.core.detector.open_episodes
    (plan,) = plans(engine)
    sale = plan.legs[1]
    assert sale.fee_quote == ceil_share(sale.notional_quote, Decimal("4.5"))

    hear(engine, SELL_AT, "6.5")
    assert engine.core.detector.newest(episode).net_edge_bps == pytest.approx(20.0, abs=0.1)
    assert plans(engine) == [plan], "what is under way stays as it was decided"
    hear(engine, SELL_AT, "60")
    assert engine.core.detector.open_episodes == ()


def test_a_tier_below_the_settings_is_believed_for_two_hours_and_then_the_settings_hold() -> None:
    engine = funded()
    set_fees(engine)
    dear, cheap = engine.core.fees.by_settings[BUY_AT], Decimal(1)
    hear(engine, BUY_AT, "1", age_ns=HOUR_NS)
    assert engine.core.fees.in_force[BUY_AT] == cheap < dear

    engine.tick(3_600_000 - 1)
    assert engine.core.fees.in_force[BUY_AT] == cheap
    engine.tick(1)
    assert engine.core.fees.in_force[BUY_AT] == dear
    told = [one for one in engine.notices if isinstance(one, FeeChanged)]
    assert [(one.venue, one.before, one.after) for one in told] == [(BUY_AT, cheap, dear)]

    hear(engine, BUY_AT, "1")
    assert engine.core.fees.in_force[BUY_AT] == cheap, "a new word counts again"


def test_a_clock_that_is_set_makes_no_word_old() -> None:
    fees = FeeSet({BUY_AT: Decimal(3)})
    fees.hear(BUY_AT, Decimal(1), 0, 0)

    fees.step_clock(5 * HOUR_NS)
    assert fees.grow_old(5 * HOUR_NS) == []
    assert fees.grow_old(7 * HOUR_NS) == [BUY_AT]


BPS = st.decimals(0, 60, places=2)


@example(Decimal(3), Decimal(25), [(Decimal(10), 0)], 0)
@example(Decimal(3), None, [(Decimal(0), 0)], 0)
@given(
    by_settings=BPS,
    by_operator=st.none() | BPS,
    words=st.lists(st.tuples(BPS, st.integers(0, 3)), max_size=4),
    later_h=st.integers(0, 4),
)
def test_no_fee_is_lower_than_the_venues_last_word_or_than_what_the_operator_set(
    by_settings: Decimal,
    by_operator: Decimal | None,
    words: list[tuple[Decimal, int]],
    later_h: int,
) -> None:
    fees = FeeSet({BUY_AT: by_settings})
    if by_operator is not None:
        fees.take(fees.with_one(BUY_AT, by_operator, at_ns=0))
    for bps, age_h in words:
        fees.hear(BUY_AT, bps, (10 - age_h) * HOUR_NS, 10 * HOUR_NS)
    fees.grow_old((10 + later_h) * HOUR_NS)

    held = by_settings if by_operator is None else by_operator
    if not words:
        assert fees.in_force[BUY_AT] == held
        return
    told, age_h = words[-1]
    is_believed = age_h + later_h < 2 and told > 0 and by_operator is None
    assert fees.in_force[BUY_AT] == (told if is_believed else max(held, told))


def test_a_word_that_makes_no_sense_or_of_a_venue_that_is_not_there_changes_nothing() -> None:
    fees = FeeSet({BUY_AT: Decimal(3)})
    for bps in ("-1", "10000", "NaN", "Infinity"):
        assert fees.hear(BUY_AT, Decimal(bps), 0, 0) == []
    assert fees.hear(VenueId("elsewhere"), Decimal(9), 0, 0) == []
    assert fees.in_force == {BUY_AT: 3}
    assert fees.hear(BUY_AT, Decimal("3.00001"), 0, 0) == [BUY_AT]
    assert fees.in_force == {BUY_AT: Decimal("3.0001")}, "rounded up"
