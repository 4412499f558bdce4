"""User streams on the sandbox's port: orders are told as they happen, what is missed is found."""

from pathlib import Path

import pytest

from engine.domain.orders_told import OrderFate, VenueMatter
from engine.gateways.asks import WIRE_NAMES_MAX
from engine.sandbox.exchange.faults import AccountFault
from tests.trading.at_sandbox import VENUES, Here, trading

of_each = pytest.mark.parametrize("venue", VENUES)


def shows_stream(here: Here) -> bool:
    """Say whether a person is shown that the venue tells of all that it could tell of."""
    (line,) = here.answers.orders(1, "").venues
    return line.has_stream


@of_each
async def test_an_order_that_look_ups_do_not_show_yet_is_told_by_the_stream(
    tmp_path: Path, venue: str
) -> None:
    async with trading(tmp_path, venue) as here:
        # One that tells of single instruments has nothing to tell before the first order.
        await here.until(lambda: shows_stream(here))
        here.stream.want(here.order().request.wire_name)
        await here.until(lambda: here.at.work.desk.has_stream and not here.at.why_not)
        one = here.order()
        here.arm(AccountFault.LAG, duration_s=3_600.0)
        here.arm(AccountFault.ANSWER_LOST)
        await here.answers.hand_over((one,))

        await here.until(lambda: here.fate(one) in (OrderFate.TRADED, OrderFate.FILLED))

        assert len(here.roles.exchange(venue).orders) == 1


@of_each
async def test_what_a_broken_stream_did_not_tell_is_found_out(tmp_path: Path, venue: str) -> None:
    async with trading(tmp_path, venue) as here:
        here.stream.want(here.order().request.wire_name)
        await here.until(lambda: here.at.work.desk.has_stream and not here.at.why_not)
        one = here.order()
        here.arm(AccountFault.ANSWER_LOST)
        here.arm(AccountFault.STREAM_LOSES, count=20)
        await here.answers.hand_over((one,))
        await here.until(lambda: bool(here.roles.exchange(venue).orders))
        here.arm(AccountFault.STREAM_CUT, form="reset")
        await here.until(lambda: not here.at.work.desk.has_stream)
        assert not shows_stream(here)

        await here.until(lambda: here.fate(one) is OrderFate.FILLED)
        await here.until(lambda: here.at.work.desk.has_stream)

        assert len(here.roles.exchange(venue).orders) == 1
        assert {matter for matter, _ in here.matters} <= {VenueMatter.DIFFERENCE}


async def test_of_more_instruments_than_a_stream_is_of_those_wanted_last_are_told(
    tmp_path: Path,
) -> None:
    async with trading(tmp_path, "bitstamp") as here:
        name = here.order().request.wire_name
        here.stream.want(name)
        for number in range(WIRE_NAMES_MAX - 1):
            here.stream.want(f"a{number}usd")
        here.stream.want(name)
        here.stream.want("another")
        await here.until(lambda: here.at.work.desk.has_stream and not here.at.why_not)
        one = here.order()
        here.arm(AccountFault.LAG, duration_s=3_600.0)
        here.arm(AccountFault.ANSWER_LOST)
        await here.answers.hand_over((one,))

        await here.until(lambda: here.fate(one) in (OrderFate.TRADED, OrderFate.FILLED))
