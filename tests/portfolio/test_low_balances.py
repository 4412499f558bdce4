"""A place of real money that runs low is told once, and once when it is enough again."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.low_balances import BalanceTurn, Draw
from engine.portfolio.low_balances import BACK_RATIO, LowBalances

BTC = AssetCode("BTC")
PLACE = (VenueId("kraken"), BTC)
SELLS = (Draw(what="sell BTC-USD", needed=Decimal(1)), Draw(what="sell BTC-EUR", needed=Decimal(2)))


def judge(
    low: LowBalances, free: str, *, before: str | None = None, draws: tuple[Draw, ...] = SELLS
) -> BalanceTurn | None:
    known = None if before is None else Decimal(before)
    return low.judge(PLACE, free=Decimal(free), before=known, draws=draws)


def test_what_runs_low_is_told_once_with_what_it_stops() -> None:
    low = LowBalances()

    assert judge(low, "5") is None
    turn = judge(low, "1.5", before="5")
    assert judge(low, "0.5", before="1.5") is None

    assert turn is not None
    assert turn.is_low
    assert turn.stops == ("sell BTC-EUR",)
    assert turn.needed == 2
    assert not turn.is_below_floor


def test_it_is_back_once_there_is_a_tenth_more_than_is_needed() -> None:
    low = LowBalances()
    judge(low, "5")
    judge(low, "1")

    assert judge(low, "2.1") is None
    turn = judge(low, "2.2")
    assert judge(low, "2.2") is None

    assert turn is not None
    assert not turn.is_low
    assert turn.stops == ()


def test_what_a_place_never_covered_is_not_told() -> None:
    low = LowBalances()

    assert judge(low, "0.1") is None
    assert judge(low, "0.2", before="0.1") is None


def test_what_went_while_nothing_ran_is_told_at_the_first_look() -> None:
    turn = judge(LowBalances(), "0.1", before="5")

    assert turn is not None
    assert turn.is_low


def test_what_came_while_nothing_ran_ends_what_was_told_before() -> None:
    turn = judge(LowBalances(), "5", before="0.1")

    assert turn is not None
    assert not turn.is_low


def test_what_was_there_before_counts_though_prices_come_later() -> None:
    low = LowBalances()

    assert judge(low, "0.1", before="5", draws=()) is None

    assert judge(low, "0.1", before="0.1") is not None


def test_below_the_operators_floor_it_is_told_whatever_was_there_before() -> None:
    low = LowBalances({BTC: Decimal(3)})

    turn = judge(low, "2.5", draws=())
    assert judge(low, "2.4", draws=()) is None

    assert turn is not None
    assert turn.is_below_floor
    assert turn.stops == ()
    assert turn.needed == 3


@given(st.lists(st.decimals("0", "5", places=2), min_size=1, max_size=30))
def test_low_and_back_are_told_in_turns_and_only_when_they_are_so(amounts: list[Decimal]) -> None:
    low = LowBalances()
    is_low: bool | None = None
    for free in amounts:
        turn = low.judge(PLACE, free=free, before=Decimal(5), draws=SELLS)
        if turn is None:
            continue
        assert turn.is_low is not is_low
        assert turn.is_low or is_low is not None
        assert (free < 2) if turn.is_low else (free >= 2 * BACK_RATIO)
        is_low = turn.is_low
