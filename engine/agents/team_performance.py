"""What each agent's work took and brought: runs, processor time, discoveries, measured effect."""

import math
from collections.abc import Generator
from typing import Final

import msgspec

from engine.agents.learning.stepping import OF_GIVEN, told
from engine.background.ports import Discovery, Given, Outcome, Priority, Task
from engine.background.wants import History, InForce
from engine.domain.runs import How

RUNS: Final = History(task="", runs=2_000)
FOUND: Final = InForce(kinds=(), has_ended=True)
HOLDS_S: Final = 7_200.0


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """It keeps nothing: each run looks at the last runs of all."""


class Work(msgspec.Struct, kw_only=True):
    """What an agent's tasks came to."""

    runs: int = 0
    failed: int = 0
    cpu_s: float = 0.0
    found: int = 0
    measured: int = 0
    effect_usd_hour: float = 0.0


def work_by_agent(given: Given) -> dict[str, Work]:
    """Return what the tasks of each agent took and brought."""
    team: dict[str, Work] = {}
    runs = given.of(RUNS)
    for agent, ended, cpu_s, found in zip(
        runs.agent, runs.ended, runs.cpu_s, runs.found, strict=True
    ):
        work = team.setdefault(agent, Work())
        work.runs += 1
        work.failed += ended not in {How.DONE, How.STOPPED}
        work.cpu_s += cpu_s
        work.found += found
    in_force = given.of(FOUND)
    for agent, effect in zip(in_force.agent, in_force.effect_usd_hour, strict=True):
        if agent in team and math.isfinite(effect):
            team[agent].measured += 1
            team[agent].effect_usd_hour += effect
    return team


def _run(
    given: Given, held: Team | None, learned: Team | None
) -> Generator[Team, None, Outcome[Team]]:
    if held is None:
        yield learned or Team()
    team = work_by_agent(given)
    return Outcome(
        found=tuple(_discovery(agent, work) for agent, work in sorted(team.items())),
        learned=Team(),
        measured={"agents": float(len(team)), "runs": float(sum(w.runs for w in team.values()))},
    )


def _discovery(agent: str, work: Work) -> Discovery:
    effect = (
        f"measured at {told(work.effect_usd_hour, 2):g} USD an hour"
        if work.measured
        else "of no measured effect yet"
    )
    return Discovery(
        kind="team",
        subject=agent,
        says=f"{agent}: {work.runs} runs, {work.failed} failed, {work.found} discoveries, {effect}",
        figures={
            "effect_usd_hour": told(work.effect_usd_hour, 2),
            "runs": float(work.runs),
            "failed_ratio": told(work.failed / work.runs, 2),
            "cpu_s": told(work.cpu_s),
            "found": float(work.found),
            "measured": float(work.measured),
        },
        score=1.0,
        holds_s=HOLDS_S,
    )


TEAM_PERFORMANCE: Final = Task(
    name="team_performance",
    agent="coordinator",
    does="sums up what each agent's work took and brought",
    state=Team,
    run=_run,
    wants=(RUNS, FOUND),
    bounds=OF_GIVEN,
    every_s=3_600.0,
    priority=Priority.LOW,
)
