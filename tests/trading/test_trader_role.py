"""The role as a process, with the signer's: orders are placed at the sandbox's port and told."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from engine.bus.trading import (
    AcknowledgeOrders,
    GetUntoldOrders,
    GetVenueOrders,
    HandOverOrders,
    SeeVenues,
    ToldOrder,
)
from engine.domain.engines import MAIN
from engine.domain.orders_told import OrderFate
from engine.operate import exit_codes
from tests.trading.processes import ROOT, Roles, orders_of, running

MEMORY_MB_MAX = 60
PAIR = "BTC-USD"

pytestmark = pytest.mark.slow


async def ends(roles: Roles, count: int) -> list[ToldOrder]:
    """Wait until the ends of so many orders are told; return all that is not acknowledged."""

    async def told() -> Sequence[ToldOrder]:
        news = (await roles.ask(GetUntoldOrders(engine=MAIN, after=0))).news
        final = {one.news.client_order_id for one in news if one.news.fate.is_final}
        return news if len(final) == count else ()

    return list(await roles.until(told, "the orders never ended"))


async def test_an_order_lives_its_whole_life_and_a_killed_trader_places_nothing_twice(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, "coinbase", "bitstamp") as roles:
        await roles.until_open()
        await roles.go_live()
        plan = roles.plan(1, PAIR, "0.01")
        orders = orders_of(plan)
        assert (await roles.ask(HandOverOrders(orders=orders))).refused == ()

        news = await ends(roles, 2)

        last = {one.news.client_order_id: one.news for one in news}
        for one in orders:
            told = last[one.client_order_id]
            assert told.fate is OrderFate.FILLED, told
            (made,) = roles.exchange(one.venue).by_client_id(one.request.wire_id)
            assert [(f.size_base, f.price, f.fee) for f in told.fills] == [
                (f.size, f.price, f.fee) for f in made.fills
            ]
        used_mb = psutil.Process(roles.processes["trader"].pid).memory_info().rss / 1_048_576
        assert used_mb < MEMORY_MB_MAX

        roles.kill("trader")
        roles.start("trader")
        assert await ends(roles, 2) == news
        await roles.ask(AcknowledgeOrders(numbers=tuple(one.number for one in news)))
        await roles.until_open()
        await roles.ask(HandOverOrders(orders=orders))
        again = orders_of(roles.plan(2, PAIR, "0.01"))
        await roles.ask(HandOverOrders(orders=again))
        assert {one.news.fate for one in await ends(roles, 2) if one.news.fate.is_final} == {
            OrderFate.FILLED
        }
        for venue in roles.venues:
            assert len(roles.exchange(venue).orders) == 2
        report = await roles.ask(GetVenueOrders(most=10))
        assert (report.count, len(report.orders)) == (4, 4)
        assert [line.is_halted for line in report.venues] == [False, False]

        balances = {one.venue: one for one in (await roles.ask(SeeVenues())).seen}
        assert set(balances) == set(roles.venues)
        another = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "engine", "role", "trader"),
            cwd=ROOT,
            env=roles.environment,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await another.communicate()
        assert another.returncode == exit_codes.FATAL
        assert b"another trader" in said
