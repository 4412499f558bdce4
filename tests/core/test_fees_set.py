"""A fee that is set while running is reckoned with everywhere from the next decision on."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from engine.core.inputs.fees_set import FeesSet
from engine.domain.errors import BadValueError
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.plans import LeggedPlan
from engine.operate.run_header import RunHeader
from engine.portfolio.costs import ceil_share
from engine.portfolio.fee_set import FeeSet
from engine.quote.gap import Confirmed
from tests.reference.engine import BUY_AT, SELL_AT, Engine, header_of
from tests.reference.world import START_NS, make_gap

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
