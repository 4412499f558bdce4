"""One round of looks: what roles say, what their processes are, and what nobody can see."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from engine.bus.health_reports import SightsReport
from engine.bus.request import Reply, Request
from engine.domain.errors import TransientError
from engine.domain.health import Health, Sight
from engine.domain.recovery import FEED_RECONNECT, Tallied
from engine.requests.health import LookAtPlaces
from engine.wiring import health_looks
from engine.wiring.health_looks import SELDOM, START_ROUNDS, Looks
from tests.bot import chain_samples, order_samples, sending_samples, work_samples

TRIED = Tallied(policy=FEED_RECONNECT.name, attempts=3)
FEED = Sight(component="feed/gemini", health=Health.WELL)


@dataclass
class Role:
    """A role that is asked."""

    report: Any = field(default_factory=lambda: SightsReport(sights=[FEED]))
    is_away: bool = False
    asked: int = 0

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        if self.is_away:
            raise TransientError("connection refused")
        if type(request).__name__.startswith("TellTallyOf"):
            return cast("Reply", SightsReport(sights=[], tallied={request.role: [TRIED]}))
        self.asked += 1
        return cast("Reply", self.report)


@dataclass
class Place:
    """An installation with a supervisor, of whose processes the test decides."""

    roles: dict[str, Role]
    others: tuple[str, ...] = ()
    pids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = ["ledger", *self.roles, *self.others]
        self.pids = {name: number for number, name in enumerate(names, 100)}
        self.looks = Looks(
            roles=names, callers=self.roles, alone="ledger", tests={}, pids=lambda: dict(self.pids)
        )

    async def see(self) -> dict[str, list[Health]]:
        seen: dict[str, list[Health]] = {}
        for sight in (await self.looks.look()).sights:
            seen.setdefault(sight.component, []).append(sight.health)
        return seen


async def test_a_role_that_answers_is_well_and_so_is_what_it_sees() -> None:
    place = Place({"engine": Role()}, others=("bot",))

    assert await place.see() == {
        "role/ledger": [Health.WELL],
        "role/engine": [Health.WELL],
        "feed/gemini": [Health.WELL],
        "role/bot": [Health.WELL],
    }


async def test_what_a_role_saw_is_unseen_while_it_does_not_answer() -> None:
    place = Place({"engine": Role()})
    await place.see()
    place.roles["engine"].is_away = True

    seen = await place.see()

    assert seen["role/engine"] == [Health.DOWN]
    assert seen["feed/gemini"] == [Health.UNSEEN]


async def test_a_role_that_never_answered_is_starting_but_not_for_ever() -> None:
    place = Place({"engine": Role(is_away=True)})

    seen = [(await place.see())["role/engine"] for _ in range(START_ROUNDS)]

    assert seen[:-1] == [[Health.UNSEEN]] * (START_ROUNDS - 1)
    assert seen[-1] == [Health.DOWN]


async def test_a_process_that_is_gone_is_down_and_one_not_started_yet_is_not() -> None:
    place = Place({}, others=("bot", "gateway"))
    del place.pids["gateway"]
    await place.see()
    del place.pids["bot"]

    seen = await place.see()

    assert seen["role/bot"] == [Health.DOWN]
    assert seen["role/gateway"] == [Health.UNSEEN]


async def test_a_process_that_was_started_again_between_two_looks_was_down() -> None:
    place = Place({"engine": Role()})
    await place.see()
    place.pids["engine"] = 999

    seen = await place.see()

    assert seen["role/engine"] == [Health.DOWN, Health.WELL]


async def test_roles_with_more_urgent_things_to_do_are_asked_seldom_and_stay_as_they_were() -> None:
    place = Place({"engine": Role(), "trader": Role(report=order_samples.orders(""))})

    seen = [await place.see() for _ in range(2 * SELDOM)]

    assert place.roles["engine"].asked == 2 * SELDOM
    assert place.roles["trader"].asked == 2
    assert all(one["role/trader"] == [Health.WELL] for one in seen)
    assert [any(name.startswith("orders/") for name in one) for one in seen] == [
        number % SELDOM == 0 for number in range(2 * SELDOM)
    ]


async def test_a_round_is_whole_only_if_all_were_asked_and_answered() -> None:
    place = Place({"engine": Role(), "trader": Role(report=order_samples.orders(""))})

    whole = [(await place.looks.look()).is_whole for _ in range(SELDOM + 1)]
    place.roles["engine"].is_away = True
    for _ in range(SELDOM - 1):
        await place.looks.look()

    assert whole == [True, False, False, True]
    assert not (await place.looks.look()).is_whole


async def test_providers_wallets_and_exchanges_stand_as_their_roles_say() -> None:
    place = Place(
        {
            "chains": Role(report=chain_samples.chains()),
            "signer": Role(report=sending_samples.wallets()),
            "trader": Role(report=order_samples.orders("")),
        }
    )

    seen = await place.see()

    states = {
        f"rpc/{chain.chain}/{one.name}": one.state
        for chain in chain_samples.chains().chains
        for one in chain.providers
    }
    assert {seen[name][0] for name, state in states.items() if state == "good"} == {Health.WELL}
    assert all(seen[name] != [Health.WELL] for name, state in states.items() if state != "good")
    venues = {f"orders/{one.venue}": one for one in order_samples.orders("").venues}
    for name, line in venues.items():
        expected = Health.DEGRADED if line.why_not else Health.WELL
        assert seen[name] == [Health.DOWN if line.is_halted else expected]
    locked = sending_samples.wallets().is_locked
    assert seen["wallet"] == [Health.DEGRADED if locked else Health.WELL]


async def test_a_test_that_fails_is_down_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> None:
        raise TransientError("the server is away")

    monkeypatch.setattr(health_looks, "DISK_LOW_MB", 1 << 60)
    looks = Looks(
        roles=(),
        callers={},
        alone="ledger",
        tests={"database": refuse},
        data_dir=tmp_path,
        is_shown=lambda component: component != "role/ledger",
    )

    database, disk = (await looks.look()).sights

    assert (database.health, database.why) == (Health.DOWN, "the server is away")
    assert disk.health is Health.DEGRADED
    assert "MB are free" in disk.why


async def test_what_roles_recovered_from_comes_with_what_they_see() -> None:
    seen = SightsReport(sights=[FEED], tallied={"engine": [TRIED], "bot": [TRIED]})
    place = Place(
        {
            "engine": Role(report=seen),
            "chains": Role(report=chain_samples.chains()),
            "trader": Role(report=order_samples.orders("")),
        }
    )

    tallied = (await place.looks.look()).tallied

    assert {role for role, told in tallied.items() if told == [TRIED]} >= {
        *("engine", "bot", "chains", "trader")
    }
    assert "ledger" in tallied  # which looks, and counts for itself


def test_what_the_engine_is_asked_is_its_own_request() -> None:
    assert LookAtPlaces().role == "engine"


async def test_how_background_work_stands_is_handed_on_in_the_round_that_asked_for_it() -> None:
    place = Place({"workers": Role(report=work_samples.work())})
    rounds = [(await place.looks.look()).work for _ in range(SELDOM + 1)]
    assert rounds == [work_samples.work(), *[None] * (SELDOM - 1), work_samples.work()]
