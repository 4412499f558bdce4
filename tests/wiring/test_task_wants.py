"""Background tasks are given what they want by a running installation, or it is said why not."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.background import wants
from engine.background.history import History
from engine.background.ports import Task, Want
from engine.bus.past_reports import PastTradesReport
from engine.domain.errors import BadValueError, SyndicateError
from engine.domain.modes import Basis
from engine.domain.past import REVERTED, TRADED, UNFILLED, VOID, Trade
from engine.domain.runs import How, RunLine
from engine.facade.client import BusFacade
from engine.market.matrix_file import shared_path
from engine.requests.chains import GetChains
from engine.requests.overview import GetStatus
from engine.settings.schema import MarketsSettings, Settings
from engine.wiring.one_process import open_roles
from engine.wiring.paths import Paths
from engine.wiring.task_wants import ASK_S, Wants, seed_of
from tests.background.tasks import make_task
from tests.patience import PATIENCE_S
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

SETTINGS = Settings(markets=MarketsSettings(sandbox_speed=5.0))
NOW_NS = 1_790_000_000 * 10**9


def make_wants(paths: Paths, facade: BusFacade) -> Wants:
    tasks = [make_task("one"), make_task("two")]
    history = History(paths.background / "runs", ["one", "two"])
    for name, at_ns in (("one", 3), ("two", 2), ("one", 1)):
        history.note(name, RunLine(begun_at_ns=at_ns, ended_at_ns=at_ns, how=How.DONE, cpu_s=0.5))
    return Wants(
        ledger=facade.ledger,
        engine=facade.engine,
        chains=facade.chains,
        prices_path=shared_path(paths.run),
        tasks=tasks,
        history=history,
        basis=Basis.SANDBOX,
        seed=7,
        clock=lambda: NOW_NS,
    )


def wanting(*wanted: Want[Any]) -> Task[Any]:
    return replace(make_task("one"), wants=wanted)


async def test_each_kind_of_want_is_given_and_can_be_sent(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    async with open_roles(SETTINGS, paths) as facade:
        async with asyncio.timeout(PATIENCE_S):
            while not any(
                venue.books_live
                for venue in (await facade.ask(GetStatus())).venues
                if not venue.is_chain
            ):
                await asyncio.sleep(0.05)
        fetch = make_wants(paths, facade)
        chain = (await facade.ask(GetChains())).chains
        asked: list[Want[Any]] = [
            wants.Executions(hours=1),
            wants.Races(chain="base"),
            wants.Opportunities(hours=10**9, limit=10**9),
            wants.PricesNow(),
            wants.GasNow(),
            wants.History(),
            wants.InForce(),
            wants.Limits(),
        ]
        asked += [wants.Pools(chain=one.chain) for one in chain]
        given = await fetch(wanting(*asked))

        for want in asked:
            answer = given.of(want)
            assert isinstance(answer, want.answer_type)
            encoded = msgspec.msgpack.encode(answer)
            again = msgspec.msgpack.decode(encoded, type=want.answer_type)
            assert msgspec.msgpack.encode(again) == encoded
        prices = given.of(wants.PricesNow())
        assert any(bid > 0 for bid in prices.bid)
        assert all(math.isnan(bid) or bid > 0 for bid in prices.bid)
        runs = given.of(wants.History())
        assert runs.began_at_ns == [1, 2, 3]
        assert given.of(wants.Limits()).values
        assert (given.at_ns, given.seed) == (NOW_NS, seed_of(7, "one", NOW_NS))

        for lacking in (wants.Pools(chain="nowhere"), wants.Blocks(chain="nowhere")):
            with pytest.raises(SyndicateError, match="nowhere is not followed"):
                await fetch(wanting(lacking))


async def test_what_nobody_gives_is_said(tmp_path: Path) -> None:
    class Moon(msgspec.Struct, frozen=True):
        answer_type = int

    paths = prepared(tmp_path)
    nobody: Any = None
    fetch = Wants(
        ledger=nobody,
        engine=nobody,
        chains=nobody,
        prices_path=paths.run,
        tasks=[],
        history=History(paths.background / "runs", []),
        basis=Basis.SANDBOX,
        seed=7,
        clock=lambda: NOW_NS,
    )
    with pytest.raises(BadValueError, match="nobody gives Moon"):
        await fetch(wanting(Moon()))


def trade(at: int, **said: Any) -> Trade:
    plain: dict[str, Any] = {
        **dict.fromkeys(("execution_id", "opportunity_id", "pair", "route", "outcome"), ""),
        **dict.fromkeys(("net_edge_bps", "realised_usd", "gas_usd", "slippage_usd"), 0.0),
        "seen_at_ns": at,
        "decided_at_ns": at + 1,
        "closed_at_ns": at + 2,
        "venues": (),
        "legs": 2,
        "expected_usd": 1.5,
    }
    return Trade(**plain | said)


async def test_our_races_on_a_chain_are_our_transactions_that_landed_there() -> None:
    trades = [
        trade(10, outcome=TRADED, chain="base", block=7),
        trade(20, outcome=REVERTED, chain="base", block=8),
        trade(30, outcome=TRADED, chain="polygon", block=9),
        trade(40, outcome=VOID, chain="base", block=9),
        trade(50, outcome=UNFILLED, chain="base"),
        trade(60, outcome=TRADED),
    ]

    class Ledger:
        async def call(self, request: Any, /, *, timeout_s: float = 5.0) -> Any:
            assert (request.most, timeout_s) == (1_000, ASK_S)
            return PastTradesReport(trades=trades, left_out=0)

    nobody: Any = None
    ledger: Any = Ledger()
    fetch = Wants(
        ledger=ledger,
        engine=nobody,
        chains=nobody,
        prices_path=Path(),
        tasks=[],
        history=nobody,
        basis=Basis.SANDBOX,
        seed=7,
        clock=lambda: NOW_NS,
    )
    want = wants.Races(chain="base")

    assert (await fetch(wanting(want))).of(want) == wants.RacesGiven(
        decided_at_ns=[11, 21],
        ended_at_ns=[12, 22],
        profit_usd=[1.5, 1.5],
        block=[7, 8],
        came=[True, False],
    )


def test_a_run_has_a_seed_of_its_own_and_always_the_same() -> None:
    seeds = {seed_of(1, name, at) for name in ("one", "two") for at in range(100)}
    assert len(seeds) == 200
    assert seed_of(1, "one", 5) == seed_of(1, "one", 5) != seed_of(2, "one", 5)
