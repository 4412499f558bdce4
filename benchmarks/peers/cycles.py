"""Cycles through recorded pools, sized and confirmed: ours beside degenbot's.

Every contestant goes from the states of the pools to the best whole input and its gain. Ours keeps
each pool's pieces from its last change on, so it is measured twice: with them at hand, and from the
event of a swap on, which moves the first pool, makes its pieces of both directions anew and writes
them in place. degenbot 0.6 is measured with one path per call and with all in one call; it is told
of such an event outside of what is timed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import harness
from benchmarks.peers.ask import ask
from benchmarks.peers.compare import Comparison, compare
from benchmarks.peers.recorded import (
    DECIMALS,
    INPUT_RAW_MAX,
    WETH,
    Cycle,
    as_task,
    cycles,
    gain_of,
    prepare,
)
from benchmarks.peers.worker import Answer
from engine.detect.graph.pool_sides import PIECES_MAX, PreparedPool
from engine.detect.graph.side_arena import SideArena
from engine.detect.moving.pool_moves import move_pool
from engine.detect.sizing.exact import ExactLeg, ExactRoute, confirm_exact, leg_of
from engine.detect.sizing.pieces import Pieces
from engine.detect.sizing.routes import RouteTerms
from engine.kernels.sizing import size_route
from engine.kernels.sizing_layout import SIDE, SIZED, SIZED_COLUMNS
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.moves import Move, PairMove, PriceMove

ROUNDS = 100
REACH = 1
UNTRUE_RATIO = 1e-9  # degenbot 0.3 rounds gains to floats
UNIT_RAW = 10 ** DECIMALS[WETH]

Rows = NDArray[Any]


class OurCycle:
    """One cycle: its sides in the arrays that the kernels read, its legs in whole numbers."""

    def __init__(self, cycle: Cycle) -> None:
        pools = [prepare(leg) for leg in cycle]
        self._first = pools[0]
        self._moves = [_move(pools[0], bump) for bump in (0, 1)]
        self._turn = 0
        self._arena = SideArena(edge_max=2 * len(pools), piece_max=2 * len(pools) * PIECES_MAX)
        self._tokens = [leg.token_in for leg in cycle]
        self._exact_legs: dict[int, ExactLeg] = {}
        for number, pool in enumerate(pools):
            self._take(number, pool)
        # The sides of pool k are 2 k, from its first token, and 2 k + 1.
        self._legs = np.array([2 * k + token for k, token in enumerate(self._tokens)])
        self._terms = np.array(RouteTerms(input_max=INPUT_RAW_MAX / UNIT_RAW).as_row())
        self._sized = np.zeros(SIZED_COLUMNS)
        self._exact: ExactRoute | None = None

    def size(self) -> None:
        """Find the best input in floats."""
        size_route(self._legs, *self._arena.arrays, self._terms, self._sized)

    def confirm(self) -> None:
        """Find the best whole input beside it."""
        amount_raw = int(self._sized[SIZED.INPUT] * UNIT_RAW)
        legs = [self._exact_legs[number] for number in range(len(self._tokens))]
        self._exact = confirm_exact(legs, amount_raw, reach=REACH)

    def size_and_confirm(self) -> None:
        """Both, with the pieces at hand."""
        self.size()
        self.confirm()

    def move_size_and_confirm(self) -> None:
        """All that the event of a swap in the first pool takes; every second one moves it back."""
        self._turn = 1 - self._turn
        self._first = move_pool(self._first, self._moves[self._turn])
        self._take(0, self._first)
        self.size_and_confirm()

    @property
    def pieces(self) -> list[Pieces]:
        """Every leg's pieces, in units of its tokens."""
        sides, pieces, _ = self._arena.arrays
        spans = sides[self._legs][:, [SIDE.FROM, SIDE.TO]].astype(int)
        return [pieces[first:end] for first, end in spans]

    @property
    def found(self) -> tuple[int, int]:
        """The best whole input and its gain."""
        return (0, 0) if self._exact is None else (self._exact.input_raw, self._exact.gain_raw)

    def _take(self, number: int, pool: PreparedPool) -> None:
        for token_in, side in enumerate(pool.sides):
            assert side.pieces is not None
            self._arena.set_pieces(2 * number + token_in, side.pieces)
        token = self._tokens[number]
        self._exact_legs[number] = leg_of(pool.state, token_in=token, token_out=1 - token)


def _move(pool: PreparedPool, bump: int) -> Move:
    """Return a move to where the pool is, or to a unit beside."""
    state = pool.state
    if isinstance(state, ConstantProductState):
        return PairMove(reserve0_raw=state.reserve0_raw + bump, reserve1_raw=state.reserve1_raw)
    assert isinstance(state, ConcentratedState)
    return PriceMove(
        sqrt_price_x96=state.sqrt_price_x96 + bump, tick=state.tick, liquidity=state.liquidity
    )


def _agreement(cycles_of_kind: Sequence[Cycle], answers: Sequence[Answer]) -> str:
    """Say by how much the gains differ, either way, and how many of the peer's are not true.

    True is what the exact forms give for the peer's own input, as the contracts would.
    """
    behind, ahead, refuted = 0.0, 0.0, 0
    for cycle, answer in zip(cycles_of_kind, answers, strict=True):
        case = OurCycle(cycle)
        case.size_and_confirm()
        paid, gain = case.found
        if gain != gain_of(cycle, paid):
            raise RuntimeError(f"a gain of {gain} that is {gain_of(cycle, paid)} in exact forms")
        for _ in range(2):
            case.move_size_and_confirm()
        if case.found[1] != gain:
            raise RuntimeError(f"moved there and back a cycle gains {case.found[1]}, not {gain}")
        if gain <= 0:
            raise RuntimeError("a case without a gain says nothing")
        if abs(gain_of(cycle, answer["input"]) - answer["gain"]) > UNTRUE_RATIO * gain:
            refuted += 1
            continue
        behind = max(behind, (gain - answer["gain"]) / gain)
        ahead = max(ahead, (answer["gain"] - gain) / gain)
    words = f"its gain at most {_part(behind)} below ours, ours {_part(ahead)} below its"
    return words + (f"; {refuted} of its {len(answers)} gains untrue" if refuted else "")


def _part(ratio: float) -> str:
    if ratio == 0.0:
        return "nothing"
    return f"{ratio:.0e}" if ratio < 1e-3 else f"{ratio:.1%}"


def measure_kind(kind: str, cycles_of_kind: list[Cycle]) -> list[Comparison]:
    cases = [OurCycle(cycle) for cycle in cycles_of_kind]
    sized = _time([case.size for case in cases])
    confirmed = _time([case.size_and_confirm for case in cases])
    moved = _time([case.move_size_and_confirm for case in cases])
    tasks = [as_task(cycle) for cycle in cycles_of_kind]
    old = ask("degenbot-03", "degenbot_03", tasks)
    new = ask("degenbot-06", "degenbot_06", tasks)
    by_path = ("degenbot 0.3", old, "durations_ns")
    by_call = ("degenbot 0.6, a path a call", new, "durations_ns")
    together = (f"degenbot 0.6, {len(tasks)} paths a call", new, "together_ns")
    rows = []
    for name, ours, peers in (
        (f"{kind}: size in floats", sized, (by_path,)),
        (f"{kind}: size and confirm", confirmed, (by_path, by_call, together)),
        (f"{kind}: move, size and confirm", moved, (by_path, by_call, together)),
    ):
        for peer, answers, key in peers:
            durations = None if answers is None else [ns for one in answers for ns in one[key]]
            words = "" if answers is None else _agreement(cycles_of_kind, answers)
            rows.append(compare(name, ours, peer, durations, agreement=words))
    return rows


def _time(calls: list[Any]) -> Rows:
    for call in calls:
        call()
    return harness.time_calls([call for call in calls for _ in range(ROUNDS)])


def measure_all() -> list[Comparison]:
    """Measure every kind of cycle."""
    return [row for kind, made in cycles() for row in measure_kind(kind, made)]
