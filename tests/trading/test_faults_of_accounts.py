"""What exchanges do wrong to an account, by the sandbox's script: each ends as it truly is."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.orders_told import OrderFate, VenueMatter
from engine.sandbox.exchange.faults import AccountFault
from tests.trading.at_sandbox import Here, trading


async def open_for_orders(here: Here) -> None:
    await here.until(lambda: not here.at.why_not)


def matters(here: Here) -> set[VenueMatter]:
    return {matter for matter, _ in here.matters}


@pytest.mark.parametrize(("venue", "form"), [("coinbase", "page"), ("bitstamp", "shape")])
async def test_an_answer_that_says_nothing_of_the_order_is_looked_behind(
    tmp_path: Path, venue: str, form: str
) -> None:
    async with trading(tmp_path, venue) as here:
        await open_for_orders(here)
        one = here.order()
        here.arm(AccountFault.ANSWER_WRONG, form=form)

        await here.answers.hand_over((one,))

        await here.until(lambda: here.fate(one) is OrderFate.FILLED)
        assert len(here.roles.exchange(venue).orders) == 1


async def test_a_trade_that_is_taken_back_after_the_end_is_told_and_the_account_is_as_expected(
    tmp_path: Path,
) -> None:
    async with trading(tmp_path, "gemini") as here:
        await open_for_orders(here)
        one = here.order()
        await here.answers.hand_over((one,))
        await here.until(lambda: here.fate(one) is OrderFate.FILLED)

        here.arm(AccountFault.REVERSED)

        await here.until(lambda: here.fate(one) is OrderFate.REVERSED)
        told = here.book.told_of(one.client_order_id)
        assert told is not None
        assert told.news.filled_base < one.request.size_base
        checked = here.at.standing.checked_at_ns
        await here.until(lambda: here.at.standing.checked_at_ns > checked)
        assert here.at.standing.halted == ""
        assert VenueMatter.ORDER in matters(here)


async def test_a_venue_in_maintenance_takes_none_and_goes_on_by_itself(tmp_path: Path) -> None:
    async with trading(tmp_path, "gemini") as here:
        await open_for_orders(here)
        here.arm(AccountFault.DOWN, duration_s=2.0)
        one = here.order()
        await here.answers.hand_over((one,))

        await here.until(lambda: bool(here.at.why_not))
        await here.until(lambda: here.fate(one) in (OrderFate.REFUSED, OrderFate.NEVER))
        await open_for_orders(here)

        other = here.order(2)
        await here.answers.hand_over((other,))
        await here.until(lambda: here.fate(other) is OrderFate.FILLED)
        assert len(here.roles.exchange("gemini").orders) == 1


async def test_a_key_that_is_revoked_stops_the_venue(tmp_path: Path) -> None:
    async with trading(tmp_path, "coinbase") as here:
        await open_for_orders(here)
        here.arm(AccountFault.KEY, form="revoked")
        one = here.order()
        await here.answers.hand_over((one,))

        await here.until(lambda: here.fate(one) is OrderFate.REFUSED)
        await here.until(lambda: VenueMatter.STOPPED in matters(here))
        refused = (await here.answers.hand_over((here.order(2),))).refused
        assert "key" in refused[0].why


async def test_a_clock_that_is_off_makes_no_order_and_is_no_end_of_trading(tmp_path: Path) -> None:
    async with trading(tmp_path, "binance") as here:
        await open_for_orders(here)
        here.arm(AccountFault.CLOCK, duration_s=90.0)
        one = here.order()
        await here.answers.hand_over((one,))
        await here.until(lambda: here.fate(one) is OrderFate.REFUSED)
        here.at.check.soon.set()
        await here.until(lambda: bool(here.at.why_not))

        here.arm(AccountFault.CLOCK, duration_s=0.0)
        await open_for_orders(here)

        assert here.roles.exchange("binance").orders == []


@pytest.mark.parametrize("form", ["pay_out", pytest.param("trade", marks=pytest.mark.campaign)])
async def test_what_somebody_else_does_with_the_money_halts_the_venue(
    tmp_path: Path, form: str
) -> None:
    async with trading(tmp_path, "coinbase") as here:
        await open_for_orders(here)
        if form == "pay_out":
            here.arm(AccountFault.OTHERS, form=form, asset="USD", amount=Decimal(1))
        else:
            here.arm(AccountFault.OTHERS, form=form, instrument="BTC-USD")
        here.at.check.soon.set()

        await here.until(lambda: bool(here.at.standing.halted))

        assert VenueMatter.HALTED in matters(here)
        here.answers.adopt("coinbase", "me")
        await open_for_orders(here)


async def test_a_fill_that_is_told_before_its_answer_is_told_once(tmp_path: Path) -> None:
    async with trading(tmp_path, "binance") as here:
        here.stream.want(here.order().request.wire_name)
        await here.until(lambda: here.at.work.desk.has_stream and not here.at.why_not)
        one = here.order()
        here.arm(AccountFault.FILL_FIRST, duration_s=0.3)
        here.arm(AccountFault.STREAM_TWICE, count=5)
        await here.answers.hand_over((one,))

        await here.until(lambda: here.fate(one) is OrderFate.FILLED)
        await asyncio.sleep(0)
        told = here.book.told_of(one.client_order_id)
        assert told is not None
        (made,) = here.roles.exchange("binance").orders
        assert sorted(f.size_base for f in told.news.fills) == sorted(f.size for f in made.fills)
