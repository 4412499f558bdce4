"""Which pairs, venues and hours trades do better or worse in than all others, from our own trades.

Each trade came off (it was filled and gained) or not. A group is told apart only where a test that
may be looked at at any time says so, at a bar that counts all groups. One that does worse goes
after others; where one does better nothing has to be moved.
"""

import math
from collections.abc import Generator
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.paired import Paired
from engine.agents.learning.stepping import OF_GIVEN, through, told
from engine.agents.learning.wager import ALPHA
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import Executions, ExecutionsGiven
from engine.domain.advice import PriorityAdvice
from engine.domain.units import NS_PER_HOUR

WANT: Final = Executions(hours=168, limit=5_000)
GROUPS_MAX: Final = 64
"""Pairs, venues and hours that are told apart at most; those that came first."""

BAR: Final = GROUPS_MAX / ALPHA
HOLDS_S: Final = 7_200.0
_HOURS: Final = 24


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade, and whether it came off."""

    at_ns: int
    pair: str
    venues: tuple[str, ...]
    came: bool

    @property
    def groups(self) -> tuple[str, ...]:
        """Return the names of the groups that it is of."""
        hour = self.at_ns // NS_PER_HOUR % _HOURS
        venues = (f"venue {venue}" for venue in dict.fromkeys(self.venues))
        return (f"pair {self.pair}", *venues, f"hour {hour}")


class Patterns(msgspec.Struct, frozen=True, kw_only=True):
    """What is known: groups by name, and until which trade.

    Attributes:
        trades, came: how many there were, and how many came off.
    """

    upto_ns: int = 0
    trades: int = 0
    came: int = 0
    groups: dict[str, Paired] = {}


def trades_of(given: ExecutionsGiven) -> list[Trade]:
    """Return the trades, oldest first."""
    rows = zip(
        given.closed_at_ns,
        given.pair,
        given.venues,
        given.outcome,
        given.realised_usd,
        strict=True,
    )
    trades = [
        Trade(at_ns=at_ns, pair=pair, venues=tuple(venues), came=how == "traded" and usd > 0)
        for at_ns, pair, venues, how, usd in rows
        if how != "void" and math.isfinite(usd)
    ]
    return sorted(trades, key=lambda trade: trade.at_ns)


def _take(state: Patterns, trade: Trade) -> Patterns:
    if trade.at_ns <= state.upto_ns:
        return state
    groups = dict(state.groups)
    for name in trade.groups:
        if name not in groups and len(groups) < GROUPS_MAX:
            groups[name] = Paired()
    own = set(trade.groups)
    groups = {
        name: group.own(came=trade.came) if name in own else group.other(came=trade.came)
        for name, group in groups.items()
    }
    return replace(
        state,
        upto_ns=trade.at_ns,
        trades=state.trades + 1,
        came=state.came + trade.came,
        groups=groups,
    )


def _run(
    given: Given, held: Patterns | None, learned: Patterns | None
) -> Generator[Patterns, None, Outcome[Patterns]]:
    state = held or learned or Patterns()
    state = yield from through(state, trades_of(given.of(WANT)), _take)
    proven = {name: group for name, group in state.groups.items() if group.evidence >= BAR}
    return Outcome(
        found=tuple(_discovery(name, group) for name, group in sorted(proven.items())),
        learned=state,
        measured={
            "trades": float(state.trades),
            "came_ratio": told(state.came / state.trades if state.trades else 0.0),
            "groups": float(len(state.groups)),
            "proven": float(len(proven)),
        },
    )


def _discovery(name: str, group: Paired) -> Discovery:
    kind, _, which = name.partition(" ")
    is_worse = group.share < group.others_share
    than = "less often" if is_worse else "more often"
    ratio = max(0.001, told(group.share / group.others_share, 2))
    advice = PriorityAdvice(
        pair=which if kind == "pair" else "",
        venues=(which,) if kind == "venue" else (),
        hour=int(which) if kind == "hour" else -1,
        ratio=min(1.0, ratio),
    )
    return Discovery(
        kind="success_pattern",
        subject=name,
        says=f"trades of {name} come off {than}: {group.share:.0%} against"
        f" {group.others_share:.0%} of others",
        figures={
            "success_ratio": told(group.share, 2),
            "others_ratio": told(group.others_share, 2),
            "trades": told(group.tried, 2),
        },
        score=told(1 - BAR * ALPHA / (BAR * ALPHA + group.evidence), 2),
        holds_s=HOLDS_S,
        evidence=(f"{group.tried} trades, each beside one of the others",),
        advice=advice if is_worse else None,
    )


SUCCESS_PATTERNS: Final = Task(
    name="success_patterns",
    agent="base_analyst",
    does="finds pairs, venues and hours that trades come off in more or less often",
    state=Patterns,
    run=_run,
    wants=(WANT,),
    bounds=OF_GIVEN,
    every_s=3_600.0,
)
