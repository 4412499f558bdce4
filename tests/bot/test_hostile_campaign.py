"""A sample of `hostile_campaign`, and what it found."""

import pytest

from bot.access import Access
from bot.telegram.arrivals import read_arrival
from engine.domain.people import Rank
from tests.bot.hostile_campaign import Tally, templates, try_strings, try_updates
from tests.telegram.emulator import OPERATOR_ID


def test_no_string_breaks_the_markup_and_no_row_is_too_wide() -> None:
    tally = Tally()
    try_strings(900, 3, tally)
    assert tally.failures == []


def test_no_update_ends_the_chat_or_is_taken_for_the_operators() -> None:
    tally = Tally()
    try_updates(2_000, 3, tally)
    assert tally.failures == []
    assert tally.admitted > 100
    assert len(tally.denied) > 5


@pytest.mark.parametrize("payload", [4243, [], {"x": 1}, 1.5])
def test_a_button_that_carries_no_text_is_dropped_and_counted(payload: object) -> None:
    tap = templates()[1]
    tap["callback_query"]["data"] = payload
    access = Access({OPERATOR_ID: Rank.ADMIN}, lambda: 0)

    assert read_arrival(tap, access) is None
    assert access.denied.total() == 1
