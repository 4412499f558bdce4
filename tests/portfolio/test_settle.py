"""What is left over of a route is valued against us, to the last step."""

from decimal import Decimal

import pytest

from engine.portfolio.settle import Turn, carry_quote, moved_quote, transfer_quote, value_left_over

THIRD = Decimal("0.33333333")
STEP = Decimal("0.00000001")
TURNS = [
    Turn(given=Decimal(1), received=Decimal(3)),
    Turn(given=Decimal(3), received=Decimal(1)),
]
"""One is paid for three, and three are sold for one."""


def test_what_is_held_is_worth_no_more_and_what_is_owed_no_less_than_it_was_filled_for() -> None:
    assert value_left_over(Decimal(1), 0, TURNS) == THIRD
    assert value_left_over(Decimal(-1), 0, TURNS) == -THIRD - STEP
    assert value_left_over(Decimal(3), 0, TURNS) == 1
    assert carry_quote(Decimal(1), Decimal(1), Decimal(3)) == THIRD
    assert carry_quote(Decimal(-1), Decimal(1), Decimal(3)) == -THIRD - STEP


@pytest.mark.parametrize(("venue_changes", "share"), [(2, 1), (4, 2), (1, Decimal("0.5"))])
def test_moving_back_costs_its_share_of_what_was_paid_rounded_up(
    venue_changes: int, share: Decimal
) -> None:
    cost = transfer_quote(
        [Decimal(1)], TURNS, transfer_bps=Decimal(10), venue_changes=venue_changes
    )

    assert cost - STEP < Decimal(1) / 3 * 10 / 10_000 * share <= cost


def test_what_went_on_to_no_later_leg_is_not_moved_back() -> None:
    nothing = transfer_quote([Decimal(0)], TURNS, transfer_bps=Decimal(10), venue_changes=2)
    third = moved_quote(Decimal(1), Decimal(1), Decimal(3), transfer_bps=Decimal(10_000))

    assert nothing == 0
    assert third == THIRD + STEP
