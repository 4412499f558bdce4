"""From what agents find to the phone: advised, measured on the recording, and told next morning."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.render.discoveries import learned_words, render_discoveries
from bot.render.plain import write_plain
from engine.background.history import History
from engine.background.ports import Outcome
from engine.background.runs import Ended
from engine.bus.memory import MemoryCaller
from engine.bus.notices import DayClosed
from engine.domain.modes import Basis
from engine.domain.runs import How
from engine.domain.units import NS_PER_DAY, NS_PER_S
from engine.requests.discoveries import CountDiscoveries, GetDiscoveries
from engine.requests.request_list import requests_of
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.wiring.effect_task import DISCOVERY_EFFECTS, Measuring
from engine.wiring.task_findings import Findings
from engine.wiring.task_wants import Wants
from tests.agents.worlds import end
from tests.background.agents import Agents, Away
from tests.background.habits import RIVALS
from tests.background.world import World, run_world
from tests.simulation.simulation import MEMORY, make_empty_database
from tests.storage.asking import notices

SECONDS = 900.0
SEGMENT_BYTES = 3 << 20
FIVE_PAST_S = 300


pytestmark = pytest.mark.slow


@pytest.fixture
def world() -> Iterator[World]:
    with TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        for name in ("empty", "world"):
            (root / name).mkdir()
        yield run_world(
            3,
            root / "world",
            seconds=SECONDS,
            empty_database=make_empty_database(root / "empty"),
            beside=Agents(),
            segment_bytes=SEGMENT_BYTES,
            habits=RIVALS,
        )


async def test_what_agents_learned_is_advised_measured_and_told_next_morning(
    world: World,
) -> None:
    begun_ns = world.life.header.started_at_ns
    now_ns = begun_ns + int(SECONDS * NS_PER_S)
    settings = LedgerSettings(
        data_dir=world.machine.directory, basis=Basis.SANDBOX, daily_at_s=FIVE_PAST_S
    )
    async with open_ledger(settings, clock=lambda: now_ns) as ledger:
        await _measured(world, MemoryCaller(requests_of("ledger"), ledger), now_ns)
        report = await ledger.answer(GetDiscoveries(is_advice=True))
        counts = await ledger.answer(CountDiscoveries())
        now_ns = begun_ns // NS_PER_DAY * NS_PER_DAY + NS_PER_DAY + 301 * NS_PER_S
        day = await ledger.tell_day()
        told = await _told(ledger)

    effects = {line.discovery.kind: line.effect for line in report.lines if line.effect}
    assert "inclusion" in effects
    assert all(one.is_of_line and one.blocks > 0 for one in effects.values())
    assert effects["inclusion"].given.cost_usd < effects["inclusion"].withheld.cost_usd
    assert "unproven" in write_plain(render_discoveries(report))
    learned = counts.learned()
    assert learned.used >= learned.changed > 0
    assert told.day == day
    assert told.learned == learned
    assert f"{learned.used} used, {learned.changed} changed" in learned_words(learned)


async def _told(ledger: Ledger) -> DayClosed:
    """Return the report of the day, behind all other notices."""
    seq = 0
    while page := (await notices(ledger, reader="other", after_seq=seq)).notices:
        seq = page[-1].seq
        for one in page:
            if isinstance(one.notice, DayClosed):
                return one.notice
    raise AssertionError("the day was not told")


async def _measured(world: World, ledger: MemoryCaller, now_ns: int) -> None:
    """Let the task go through all that is recorded."""
    wants = Wants(
        ledger=ledger,
        engine=Away(),
        chains=None,
        prices_path=world.machine.directory / "none",
        recordings=world.machine.recordings,
        is_quiet=lambda: True,
        tasks=(DISCOVERY_EFFECTS,),
        history=History(world.machine.directory / "runs", [DISCOVERY_EFFECTS.name]),
        basis=Basis.SANDBOX,
        seed=1,
        clock=lambda: now_ns,
    )
    findings = Findings(
        ledger=ledger, engine=ledger, chains=None, basis=Basis.SANDBOX, clock=lambda: now_ns
    )
    learned: Measuring | None = None
    for number in range(60):
        given = await wants(DISCOVERY_EFFECTS)
        outcome: Outcome[Measuring] = end(DISCOVERY_EFFECTS, given, learned)
        if outcome.measured["segment"] < 0:
            break
        learned = outcome.learned
        ended = Ended(
            how=How.DONE,
            begun_at_ns=now_ns,
            ended_at_ns=now_ns,
            outcome=outcome,
            run_id=f"effects-{number}",
        )
        await findings(DISCOVERY_EFFECTS, ended)
