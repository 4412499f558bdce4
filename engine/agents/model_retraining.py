"""Fits a richer model of prices anew each day, and says honestly whether it may act.

Every five minutes the pairs' prices are kept. Once there are enough new ones, several models (how
far they look back, how much they are held back) are tried in turn on the past alone: fitted on what
was before, judged by what came after, a step apart. The best of them is the new version. Each
version is judged by what comes after it was fitted, against "prices stay", at a bar that rises with
every version: trying again and again opens none by chance. It advises nothing; what acts from
minute to minute is the task `market_trend`, by the same bar.
"""

import math
from collections.abc import Generator, Sequence
from itertools import pairwise, product
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from engine.agents.learning.mids import pairs_now
from engine.agents.learning.stepping import told
from engine.agents.learning.wager import Wager, alpha_of_trial
from engine.background.ports import Bounds, Discovery, Given, Outcome, Priority, Task
from engine.background.wants import PricesNow
from engine.domain.units import NS_PER_S

WANT: Final = PricesNow()
EVERY_S: Final = 300.0
APART_S: Final = (150.0, 600.0)
PAIRS_MAX: Final = 8
KEPT: Final = 2_016
"""Looks that are kept: a week."""

ANEW: Final = 288
"""So many new looks, a day of them, and a model is fitted anew."""

FOLDS: Final = 4
LAGS: Final = (1, 3, 6)
RIDGES: Final = (10.0, 100.0, 1_000.0)
HOLDS_S: Final = 172_800.0

Floats = npt.NDArray[np.float64]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A version: weights of the last changes of all pairs, for each pair.

    Attributes:
        version: 1 for the first.
        pairs: in whose order weights are.
        units: usual change of each.
        weights: for each pair, of the changes one look ago, two ..., each of all pairs.
        trials: models that were tried for it.
    """

    version: int
    pairs: tuple[str, ...]
    units: tuple[float, ...]
    lags: int
    ridge: float
    weights: tuple[tuple[float, ...], ...]
    trials: int
    tells: Wager


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept: changes of pairs, look by look, and the model.

    Attributes:
        at_ns: of the last look.
        pairs: in whose order changes are.
        logs: prices at the last look.
        changes: since the look before, oldest first; after a gap the past begins anew.
        fresh: looks since the last fit.
        tried: losses of the models that were tried in a fit under way, over those of "stays".
        is_taken: whether the look of this run is in `changes`.
    """

    at_ns: int = 0
    pairs: tuple[str, ...] = ()
    logs: tuple[float, ...] = ()
    changes: tuple[tuple[float, ...], ...] = ()
    fresh: int = 0
    tried: tuple[float, ...] = ()
    is_taken: bool = False
    versions: int = 0
    model: Model | None = None


def _look(state: Seen, at_ns: int, logs: dict[str, float]) -> Seen:
    """Take in a look: judge the model by it, then keep it."""
    apart_s = (at_ns - state.at_ns) / NS_PER_S if state.at_ns else 0.0
    is_next = APART_S[0] <= apart_s <= APART_S[1] and set(state.pairs) <= logs.keys()
    if not state.pairs or not is_next:
        pairs = tuple(logs)[:PAIRS_MAX]
        now = tuple(logs[pair] for pair in pairs)
        return Seen(at_ns=at_ns, pairs=pairs, logs=now, is_taken=True, versions=state.versions)
    now = tuple(logs[pair] for pair in state.pairs)
    change = tuple(new - old for new, old in zip(now, state.logs, strict=True))
    return replace(
        state,
        at_ns=at_ns,
        logs=now,
        model=_judged(state.model, state.changes, change),
        changes=(*state.changes, change)[-KEPT:],
        fresh=state.fresh + 1,
        is_taken=True,
    )


def _judged(
    model: Model | None, changes: Sequence[tuple[float, ...]], came: tuple[float, ...]
) -> Model | None:
    if model is None or len(changes) < model.lags:
        return model
    units = np.asarray(model.units)
    seen = np.asarray(changes[-model.lags :])[::-1] / units
    foretold = np.asarray(model.weights) @ seen.ravel()
    scaled = np.asarray(came) / units
    tells = model.tells.judge(
        model_loss=float(np.sum((scaled - foretold) ** 2)), naive_loss=float(np.sum(scaled**2))
    )
    return replace(model, tells=tells)


def cases(changes: Floats, lags: int) -> tuple[Floats, Floats]:
    """Return what is seen before each change, newest first, and the changes themselves."""
    looks = len(changes)
    seen = [changes[lags - lag : looks - lag] for lag in range(1, lags + 1)]
    return np.hstack(seen), changes[lags:]


def fitted(seen: Floats, came: Floats, ridge: float) -> Floats:
    """Return the weights of least squares, held back by a ridge; a column for each pair."""
    square = seen.T @ seen + ridge * np.eye(seen.shape[1])
    return np.asarray(np.linalg.solve(square, seen.T @ came), dtype=np.float64)


def walked_loss(changes: Floats, lags: int, ridge: float) -> float:
    """Return the loss of a model over that of "stays", each fold foretold from before it alone.

    A change is left out between both: what is seen for the first case ends before the fold.
    """
    seen, came = cases(changes, lags)
    edges = np.linspace(len(came) // 2, len(came), FOLDS + 1).astype(int).tolist()
    loss = naive = 0.0
    for start, stop in pairwise(edges):
        before = start - 1
        units = np.sqrt(np.mean(came[:before] ** 2, axis=0)) + 1e-12
        scale = np.tile(units, lags)
        weights = fitted(seen[:before] / scale, came[:before] / units, ridge)
        target = came[start:stop] / units
        loss += float(np.sum((target - seen[start:stop] / scale @ weights) ** 2))
        naive += float(np.sum(target**2))
    return loss / naive if naive > 0 else math.inf


def _run(
    given: Given, held: Seen | None, learned: Seen | None
) -> Generator[Seen, None, Outcome[Seen]]:
    state = held or replace(learned or Seen(), is_taken=False, tried=())
    if not state.is_taken:
        now = pairs_now(given.of(WANT))
        state = _look(state, given.at_ns, {name: pair.log_mid for name, pair in now.items()})
        yield state
    if state.fresh >= ANEW and any(map(any, state.changes)):
        models = tuple(product(LAGS, RIDGES))
        changes = np.asarray(state.changes)
        for lags, ridge in models[len(state.tried) :]:
            loss = walked_loss(changes, lags, ridge)
            state = replace(state, tried=(*state.tried, loss))
            yield state
        best = min(range(len(models)), key=lambda at: state.tried[at])
        state = _renewed(state, changes, *models[best])
    return Outcome(
        found=_discovery(state), learned=replace(state, tried=()), measured=_measured(state)
    )


def _renewed(state: Seen, changes: Floats, lags: int, ridge: float) -> Seen:
    seen, came = cases(changes, lags)
    units = np.sqrt(np.mean(came**2, axis=0)) + 1e-12
    weights = fitted(seen / np.tile(units, lags), came / units, ridge)
    version = state.versions + 1
    model = Model(
        version=version,
        pairs=state.pairs,
        units=tuple(units.tolist()),
        lags=lags,
        ridge=ridge,
        weights=tuple(map(tuple, weights.T.tolist())),
        trials=len(LAGS) * len(RIDGES),
        tells=Wager(alpha=alpha_of_trial(version)),
    )
    return replace(state, model=model, versions=version, fresh=0)


def _measured(state: Seen) -> dict[str, float]:
    model = state.model
    return {
        "looks": float(len(state.changes)),
        "version": float(state.versions),
        "judged": float(model.tells.judged if model else 0),
        "skill_ratio": told(model.tells.skill) if model else 0.0,
        "is_open": float(bool(model and model.tells.is_open)),
    }


def _discovery(state: Seen) -> tuple[Discovery, ...]:
    model = state.model
    if model is None or not model.tells.is_open:
        return ()
    return (
        Discovery(
            kind="price_model",
            subject="five minutes",
            says=f"a model of {len(model.pairs)} pairs' last {model.lags} changes beats"
            " prices that stay",
            figures={
                "skill_ratio": told(model.tells.skill, 2),
                "version": float(model.version),
                "lags": float(model.lags),
                "ridge": model.ridge,
                "trials": float(model.trials * model.version),
                "judged": told(model.tells.judged, 2),
            },
            score=told(min(1.0, max(0.0, model.tells.skill)), 2),
            holds_s=HOLDS_S,
            evidence=(f"{model.tells.judged} looks after version {model.version} was fitted",),
        ),
    )


MODEL_RETRAINING: Final = Task(
    name="model_retraining",
    agent="predictor",
    does="fits a richer model of prices each day, and judges it by what comes after",
    state=Seen,
    run=_run,
    wants=(WANT,),
    every_s=EVERY_S,
    priority=Priority.LOW,
    bounds=Bounds(cpu_s=60.0, memory_mb=40),
)
