"""Whether the next minute of a pair can be foretold, against "its price stays".

Once a minute the books' common price is looked at: its last change, the last change of all pairs,
and how much more is bid than asked. Weights learn from each minute after they were judged by it.
A pair's forecast acts only while it beats the last price out of sample; then routes of a pair that
is about to move go after others, as their orders meet another price than they were planned at.
"""

from collections.abc import Generator
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace

from engine.agents.learning.drift import Drift
from engine.agents.learning.mids import PAIRS_MAX, PairNow, pairs_now
from engine.agents.learning.recursive import unlearned
from engine.agents.learning.stepping import OF_GIVEN, through, told
from engine.agents.learning.wager import ALPHA, Wager
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import PricesNow
from engine.domain.advice import PriorityAdvice
from engine.domain.units import NS_PER_S

EVERY_S: Final = 60.0
APART_S: Final = (30.0, 150.0)
"""Looks that are less or more apart are no minute of a series."""

HOLDS_S: Final = 90.0
CASES_MIN: Final = 60
_MOST: Final = 10.0
"""Usual minutes: no forecast is taken for more."""

WANT: Final = PricesNow()


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a pair, and its price at the last look."""

    drift: Drift
    log_mid: float


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of all pairs.

    Attributes:
        at_ns: of the last look.
        done: pairs of this look that were taken in already.
        common: change of all pairs at this look, in usual ones.
        seconds: from the look before to this one; 0 at the first.
    """

    at_ns: int = 0
    pairs: dict[str, Pair] = {}
    done: tuple[str, ...] = ()
    common: float = 0.0
    seconds: float = 0.0


def _fresh(log_mid: float) -> Pair:
    drift = Drift(weights=unlearned(3, ridge=10.0), tells=Wager(alpha=ALPHA / PAIRS_MAX))
    return Pair(drift=drift, log_mid=log_mid)


def _begin(state: Market, at_ns: int, now: dict[str, PairNow]) -> Market:
    """Begin a look: pairs that are quoted no more are let go."""
    changes = [
        (now[name].log_mid - pair.log_mid) / pair.drift.unit
        for name, pair in state.pairs.items()
        if name in now and pair.drift.unit
    ]
    return Market(
        at_ns=at_ns,
        pairs={name: pair for name, pair in state.pairs.items() if name in now},
        common=float(np.clip(np.mean(changes), -10, 10)) if changes else 0.0,
        seconds=(at_ns - state.at_ns) / NS_PER_S if state.at_ns else 0.0,
    )


def _take(state: Market, named: tuple[str, PairNow]) -> Market:
    name, now = named
    if name in state.done:
        return state
    pair = state.pairs.get(name)
    if pair is None:
        pair = _fresh(now.log_mid)
    elif APART_S[0] <= state.seconds <= APART_S[1]:
        change = now.log_mid - pair.log_mid
        drift = pair.drift.changed(change).sees((change,), (state.common, now.imbalance))
        pair = Pair(drift=drift, log_mid=now.log_mid)
    else:
        pair = Pair(drift=pair.drift.broken(), log_mid=now.log_mid)
    return replace(state, pairs={**state.pairs, name: pair}, done=(*state.done, name))


def _run(
    given: Given, held: Market | None, learned: Market | None
) -> Generator[Market, None, Outcome[Market]]:
    now = dict(pairs_now(given.of(WANT)))
    state = held or _begin(learned or Market(), given.at_ns, now)
    if held is None:
        yield state
    state = yield from through(state, now.items(), _take, every=1)
    judged = sum(pair.drift.tells.judged for pair in state.pairs.values())
    opened = [pair for pair in state.pairs.values() if pair.drift.tells.is_open]
    return Outcome(
        found=tuple(
            found for name, pair in state.pairs.items() for found in _discovery(name, pair)
        ),
        learned=state,
        measured={
            "pairs": float(len(state.pairs)),
            "judged": float(judged),
            "open": float(len(opened)),
        },
    )


def _discovery(name: str, pair: Pair) -> tuple[Discovery, ...]:
    drift = pair.drift
    if not drift.tells.is_open or drift.tells.judged < CASES_MIN or not drift.unit:
        return ()
    usual = min(_MOST, abs(drift.foretold))
    way = "rise" if drift.foretold > 0 else "fall"
    return (
        Discovery(
            kind="market_trend",
            subject=name,
            says=f"{name} is about to {way} by {usual:.2g} of a usual minute",
            figures={
                "skill_ratio": told(drift.tells.skill, 2),
                "recent_ratio": told(drift.tells.recent, 2),
                "minutes": told(drift.tells.judged, 2),
                "change_bps": told(drift.foretold * drift.unit * 1e4, 2),
            },
            score=told(min(1.0, max(0.0, drift.tells.skill)), 2),
            holds_s=HOLDS_S,
            evidence=(f"{drift.tells.judged} minutes, each foretold before it came",),
            advice=PriorityAdvice(pair=name, ratio=told(1 / (1 + usual))),
        ),
    )


MARKET_TREND: Final = Task(
    name="market_trend",
    agent="predictor",
    does="foretells the next minute of each pair, if that can be done",
    state=Market,
    run=_run,
    wants=(WANT,),
    bounds=OF_GIVEN,
    every_s=EVERY_S,
)
