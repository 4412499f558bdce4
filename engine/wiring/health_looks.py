"""Looks at all components of an installation: asks the roles, and sees what no role could say."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from engine.bus.chain_reports import ChainsReport
from engine.bus.health_reports import SightsReport
from engine.bus.request import Caller, Request
from engine.bus.signing import WalletsReport
from engine.bus.trading import GetVenueOrders
from engine.bus.trading_reports import VenueOrdersReport
from engine.bus.work_reports import WorkReport
from engine.domain.errors import SyndicateError
from engine.domain.health import Health, Sight
from engine.domain.recovery import TALLY, Tallied
from engine.domain.traffic import Used
from engine.operate.role_uses import role_of
from engine.requests.chains import GetChains
from engine.requests.health import (
    LookAtPlaces,
    TellTallyOfChains,
    TellTallyOfSender,
    TellTallyOfTrader,
    TellTallyOfWorkers,
)
from engine.requests.transactions import GetTransactions
from engine.requests.wallets import GetWallets
from engine.requests.work import GetWork

ANSWER_S: Final = 3.0
SELDOM: Final = 3
"""Roles that have more urgent things to do are asked in each third round."""

START_ROUNDS: Final = 72
"""A role that never answered since it was started is down after so many rounds: six minutes, as
kernels may be compiled first."""

DISK_DOWN_MB: Final = 100
DISK_LOW_MB: Final = 1_000
MB: Final = 1_048_576


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a role is asked for what it sees.

    Attributes:
        read: returns the components that are its business.
        tally: how it is asked for what it recovered from; None where `request` tells that too.
        every: in which rounds: in each if it is 1.
    """

    request: Request[Any]
    read: Callable[[Any], list[Sight]] = lambda _report: []
    tally: Request[SightsReport] | None = None
    every: int = SELDOM


def _of_chains(report: ChainsReport) -> list[Sight]:
    return [
        Sight(
            component=f"rpc/{chain.chain}/{one.name}",
            health=_PROVIDER.get(one.state, Health.DEGRADED),
            why="" if one.state == "good" else ": ".join(filter(None, (one.state, one.why))),
        )
        for chain in report.chains
        for one in chain.providers
    ]


_PROVIDER: Final[Mapping[str, Health]] = {
    "good": Health.WELL,
    "unchecked": Health.UNSEEN,
    "quarantined": Health.DOWN,
}
"""Any other state is one in which it is asked less."""


def _of_signer(report: WalletsReport) -> list[Sight]:
    health = Health.DEGRADED if report.is_locked else Health.WELL
    return [
        Sight(component="wallet", health=health, why="it is locked" if report.is_locked else "")
    ]


def _of_trader(report: VenueOrdersReport) -> list[Sight]:
    return [
        Sight(
            component=f"orders/{one.venue}",
            health=Health.DOWN
            if one.is_halted
            else Health.DEGRADED
            if one.why_not
            else Health.WELL,
            why=one.why_not,
        )
        for one in report.venues
    ]


def _of_engine(report: SightsReport) -> list[Sight]:
    return report.sights


ENGINE: Final = Asked(request=LookAtPlaces(), read=_of_engine, every=1)
CHAINS: Final = Asked(request=GetChains(), read=_of_chains, tally=TellTallyOfChains())
ASKED: Final[Mapping[str, Asked]] = {
    "engine": ENGINE,
    "workers": Asked(request=GetWork(), tally=TellTallyOfWorkers()),
    "signer": Asked(request=GetWallets(), read=_of_signer),
    "sender": Asked(request=GetTransactions(most=1), tally=TellTallyOfSender()),
    "trader": Asked(request=GetVenueOrders(most=1), read=_of_trader, tally=TellTallyOfTrader()),
}


def asked_of(role: str) -> Asked | None:
    """Return how a role is asked; None of one that is seen by its process alone."""
    if role.partition("-")[0] == "chains":
        return CHAINS
    return ASKED.get(role)


@dataclass(slots=True)
class _Role:
    """What is known of a role."""

    pid: int | None = None
    rounds: int = 0
    has_answered: bool = False
    why: str = ""
    named: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round saw.

    Attributes:
        is_whole: all who see anything were asked and answered.
        tallied, used: what the roles that were asked recovered from and used, by role.
        work: how background work stands; None where that was not asked, or not told.
    """

    sights: list[Sight]
    is_whole: bool
    tallied: dict[str, list[Tallied]]
    used: dict[str, list[Used]]
    work: WorkReport | None = None


class Looks:
    """Looks at everything, round by round.

    Args:
        roles: that the supervisor runs; empty where there is none.
        callers: of the roles that are asked.
        alone: the role whose process this is.
        tests: of what no role sees: component and a call that raises what speaks against it.
        is_shown: says whether a component is one of this installation.
        pids: returns the processes of the roles by name.
    """

    def __init__(
        self,
        *,
        roles: Sequence[str],
        callers: Mapping[str, Caller],
        alone: str,
        tests: Mapping[str, Callable[[], Awaitable[object]]],
        is_shown: Callable[[str], bool] = lambda _component: True,
        pids: Callable[[], Mapping[str, int]] | None = None,
        data_dir: Path | None = None,
    ) -> None:
        self._callers = callers
        self._alone = alone
        self._tests = tests
        self._is_shown = is_shown
        self._pids = pids or sibling_pids
        self._has_supervisor = bool(roles)
        self._data_dir = data_dir
        self._roles = {name: _Role() for name in dict.fromkeys((*roles, *callers, alone))}
        self._tallied: dict[str, list[Tallied]] = {}
        self._used: dict[str, list[Used]] = {}
        self._work: WorkReport | None = None
        self._round = 0

    async def look(self) -> Round:
        """Look once."""
        pids = await asyncio.to_thread(self._pids) if self._has_supervisor else {}
        due = [
            name
            for name in self._callers
            if (asked := asked_of(name)) is not None and self._round % asked.every == 0
        ]
        found = await asyncio.gather(*(self._ask(name) for name in due))
        answers = dict(zip(due, found, strict=True))
        tests = await asyncio.gather(*(self._test(*item) for item in self._tests.items()))
        tallied = {**self._tallied, self._alone: TALLY.all()}
        used, self._tallied, self._used = self._used, {}, {}
        work, self._work = self._work, None
        sights = [*tests, *self._disk()]
        for name, role in self._roles.items():
            sights += self._role(name, role, pids.get(name), is_asked=name in answers)
            if name in answers:
                sights += self._of_role(name, role, answers[name])
        is_whole = len(due) == len(self._callers) and all(one is not None for one in found)
        self._round += 1
        shown = [one for one in sights if self._is_shown(one.component)]
        return Round(sights=shown, is_whole=is_whole, tallied=tallied, used=used, work=work)

    async def _ask(self, name: str) -> list[Sight] | None:
        asked, role = asked_of(name), self._roles[name]
        assert asked is not None
        try:
            async with asyncio.timeout(ANSWER_S):
                caller = self._callers[name]
                report = await caller.call(asked.request, timeout_s=ANSWER_S)
                told = None
                if asked.tally is not None:
                    told = await caller.call(asked.tally, timeout_s=ANSWER_S)
        except (SyndicateError, TimeoutError) as error:
            role.why = str(error) or f"no answer within {ANSWER_S:g} s"
            return None
        role.why, role.has_answered = "", True
        if told is not None:
            self._tallied[name] = [one for each in told.tallied.values() for one in each]
            self._used[name] = told.used
        elif isinstance(report, SightsReport):
            self._tallied.update(report.tallied)
            self._used[name] = report.used
        if isinstance(report, WorkReport):
            self._work = report
        return asked.read(report)

    async def _test(self, component: str, test: Callable[[], Awaitable[object]]) -> Sight:
        try:
            async with asyncio.timeout(ANSWER_S):
                await test()
        except (SyndicateError, TimeoutError, OSError) as error:
            why = str(error) or f"no answer within {ANSWER_S:g} s"
            return Sight(component=component, health=Health.DOWN, why=why)
        return Sight(component=component, health=Health.WELL)

    def _role(self, name: str, role: _Role, pid: int | None, *, is_asked: bool) -> list[Sight]:
        component = f"role/{name}"
        if name == self._alone:
            return [Sight(component=component, health=Health.WELL)]
        sights: list[Sight] = []
        if self._has_supervisor:
            if pid is None:
                role.rounds += 1
                is_starting = role.pid is None and role.rounds < START_ROUNDS
                why = "not started yet" if is_starting else "it has no process"
                health = Health.UNSEEN if is_starting else Health.DOWN
                role.has_answered = False
                return [Sight(component=component, health=health, why=why)]
            if role.pid not in (None, pid):
                why = "its process ended and was started again"
                sights.append(Sight(component=component, health=Health.DOWN, why=why))
                role.has_answered, role.rounds = role.has_answered and is_asked, 0
            role.pid = pid
        if asked_of(name) is None or name not in self._callers:
            return [*sights, Sight(component=component, health=Health.WELL)]
        if not role.why and role.has_answered:
            role.rounds = 0
            return [*sights, Sight(component=component, health=Health.WELL)]
        role.rounds += 1
        is_starting = not role.has_answered and role.rounds < START_ROUNDS
        health = Health.UNSEEN if is_starting else Health.DOWN
        why = "it is starting" if is_starting else f"it does not answer: {role.why}"
        return [*sights, Sight(component=component, health=health, why=why)]

    def _of_role(self, name: str, role: _Role, sights: Iterable[Sight] | None) -> list[Sight]:
        """Return what a role sees; what it saw before is unseen while it does not answer."""
        if sights is None:
            why = f"the {name} does not answer"
            return [Sight(component=one, health=Health.UNSEEN, why=why) for one in role.named]
        found = list(sights)
        role.named = dict.fromkeys(one.component for one in found)
        return found

    def _disk(self) -> list[Sight]:
        if self._data_dir is None:
            return []
        free_mb = shutil.disk_usage(self._data_dir).free // MB
        health = (
            Health.DOWN
            if free_mb < DISK_DOWN_MB
            else Health.DEGRADED
            if free_mb < DISK_LOW_MB
            else Health.WELL
        )
        why = "" if health is Health.WELL else f"{free_mb:,} MB are free"
        return [Sight(component="disk", health=health, why=why)]


def sibling_pids() -> dict[str, int]:
    """Return the processes of the roles that have the same supervisor, by role."""
    found: dict[str, int] = {}
    parent = psutil.Process().parent()
    for process in [] if parent is None else parent.children():
        try:
            name = role_of(process.cmdline())
        except psutil.Error:
            continue
        if name:
            found[name] = process.pid
    return found
