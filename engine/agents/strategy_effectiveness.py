"""Whether trades that only just pass the least edge earn anything, from our own trades.

Trades are parted by how far their edge was above the limit. Where those just above it are proven to
lose, a higher limit is proposed to a person; nothing is ever proposed that lets more through, as
nobody knows what trades would have come to that were never made.
"""

import math
from bisect import bisect_right
from collections.abc import Generator
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.agents.learning.stepping import OF_GIVEN, through, told
from engine.agents.learning.wager import ALPHA, Wager
from engine.background.ports import Discovery, Given, Outcome, Task
from engine.background.wants import Executions, ExecutionsGiven, Limits
from engine.domain.advice import ThresholdProposal

TRADES: Final = Executions(hours=168, limit=5_000)
LIMITS: Final = Limits()
TERM: Final = "net_edge_bps_min"
STEPS: Final = (1.25, 1.5, 2.0, 3.0)
"""Times the limit: between two of these trades are judged together."""

HOLDS_S: Final = 14_400.0
CASES_MIN: Final = 20


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Trades with about the same edge.

    Attributes:
        loses: whether they are proven to lose.
        most_usd: the most that one gained or lost so far: what the next is measured by.
    """

    loses: Wager
    trades: int = 0
    realised_usd: float = 0.0
    expected_usd: float = 0.0
    most_usd: float = 0.0

    def learn(self, realised_usd: float, expected_usd: float) -> "Band":
        """Return the band with a trade more."""
        loses = self.loses
        if self.most_usd > 0:
            part = max(-1.0, min(1.0, realised_usd / self.most_usd))
            loses = loses.judge_bounded(model_loss=max(0.0, part), naive_loss=max(0.0, -part))
        return Band(
            loses=loses,
            trades=self.trades + 1,
            realised_usd=self.realised_usd + realised_usd,
            expected_usd=self.expected_usd + expected_usd,
            most_usd=max(self.most_usd, abs(realised_usd)),
        )


def _no_bands() -> tuple[Band, ...]:
    bands = len(STEPS) + 1
    return (Band(loses=Wager(alpha=ALPHA / bands)),) * bands


class Bands(msgspec.Struct, frozen=True, kw_only=True):
    """What is known while the limit is what it is."""

    limit_bps: float = -1.0
    upto_ns: int = 0
    bands: tuple[Band, ...] = ()


class _Trade(msgspec.Struct, frozen=True, kw_only=True):
    at_ns: int
    edge_bps: float
    expected_usd: float
    realised_usd: float


def _trades(given: ExecutionsGiven) -> list[_Trade]:
    rows = zip(
        given.closed_at_ns,
        given.net_edge_bps,
        given.expected_usd,
        given.realised_usd,
        given.outcome,
        strict=True,
    )
    trades = [
        _Trade(at_ns=at_ns, edge_bps=edge, expected_usd=expected, realised_usd=realised)
        for at_ns, edge, expected, realised, how in rows
        if how != "void" and all(map(math.isfinite, (edge, expected, realised)))
    ]
    return sorted(trades, key=lambda trade: trade.at_ns)


def _take(state: Bands, trade: _Trade) -> Bands:
    if trade.at_ns <= state.upto_ns:
        return state
    state = replace(state, upto_ns=trade.at_ns)
    if trade.edge_bps < state.limit_bps:
        return state  # made under another limit
    at = bisect_right(STEPS, trade.edge_bps / state.limit_bps)
    band = state.bands[at].learn(trade.realised_usd, trade.expected_usd)
    return replace(state, bands=(*state.bands[:at], band, *state.bands[at + 1 :]))


def _run(
    given: Given, held: Bands | None, learned: Bands | None
) -> Generator[Bands, None, Outcome[Bands]]:
    limit_bps = given.of(LIMITS).values.get(TERM, 0.0)
    if limit_bps <= 0:
        return Outcome(learned=learned)
    state = held or learned or Bands()
    if state.limit_bps != limit_bps:
        state = Bands(limit_bps=limit_bps, upto_ns=state.upto_ns, bands=_no_bands())
    state = yield from through(state, _trades(given.of(TRADES)), _take)
    trades = sum(band.trades for band in state.bands)
    return Outcome(
        found=(*_kept(state), *_proposal(state)),
        learned=state,
        measured={"trades": float(trades), "limit_bps": limit_bps},
    )


def _kept(state: Bands) -> tuple[Discovery, ...]:
    trades = sum(band.trades for band in state.bands)
    realised = sum(band.realised_usd for band in state.bands)
    expected = sum(band.expected_usd for band in state.bands)
    if trades < CASES_MIN or expected <= 0:
        return ()
    return (
        Discovery(
            kind="strategy",
            subject="all trades",
            says=f"of what trades were to gain, {realised / expected:.0%} came in",
            figures={
                "kept_ratio": told(realised / expected),
                "profit_usd": told(realised),
                "expected_usd": told(expected),
                "trades": told(trades),
            },
            score=told(trades / (trades + 5 * CASES_MIN), 2),
            holds_s=HOLDS_S,
            evidence=(f"{trades} own trades under a limit of {state.limit_bps:g} bps",),
        ),
    )


def _proposal(state: Bands) -> tuple[Discovery, ...]:
    losing: list[Band] = []
    for band, step in zip(state.bands, STEPS, strict=False):
        if not band.loses.is_open:
            break
        losing.append(band)
        upto = step
    if not losing:
        return ()
    trades = sum(band.trades for band in losing)
    lost = -sum(band.realised_usd for band in losing)
    value = told(state.limit_bps * upto)
    why = f"{trades} trades with less than {value:g} bps lost {lost:.3g} USD in all"
    return (
        Discovery(
            kind="strategy",
            subject=TERM,
            says=why,
            figures={"profit_usd": told(-lost), "trades": told(trades), "value_bps": value},
            score=told(min(1.0, trades / (trades + CASES_MIN)), 2),
            holds_s=HOLDS_S,
            evidence=(f"{trades} own trades, judged one after the other",),
            advice=ThresholdProposal(term=TERM, value=value, why=why),
        ),
    )


STRATEGY_EFFECTIVENESS: Final = Task(
    name="strategy_effectiveness",
    agent="coordinator",
    does="finds whether trades that just pass the least edge lose, and proposes a higher one",
    state=Bands,
    run=_run,
    wants=(TRADES, LIMITS),
    bounds=OF_GIVEN,
    every_s=7_200.0,
)
