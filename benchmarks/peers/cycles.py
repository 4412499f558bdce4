"""Cycles through recorded pools, sized and confirmed: ours beside degenbot's.

Every contestant goes from the states of the pools to the best whole input and its gain. Ours keeps
each pool's pieces from its last change on, so it is measured twice: with them at hand, and making
them anew for each cycle. degenbot 0.6 is measured with one path per call and with all in one call.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import harness
from benchmarks.peers.ask import ask
from benchmarks.peers.compare import Comparison, compare
from benchmarks.peers.recorded import INPUT_RAW_MAX, Cycle, Leg, as_task, cycles, gain_of
from benchmarks.peers.worker import Answer
from engine.detect.pieces import Pieces, pieces_of_pair, pieces_of_virtual_reserves
from engine.detect.sizing import RouteTerms, SideTables
from engine.kernels import concentrated, concentrated_exact, constant_product
from engine.kernels import sizing_layout as layout
from engine.kernels.confirming import (
    FORM_CONCENTRATED,
    FORM_PAIR,
    OUT_GOT,
    OUT_PAID,
    OUT_ROWS,
    confirm_best,
)
from engine.kernels.sizing import size_route
from engine.kernels.u256 import from_limbs, to_limbs
from engine.pools.constant_product import ConstantProductState

ROUNDS = 100
REACH = 1
UNTRUE_RATIO = 1e-9  # degenbot 0.3 rounds gains to floats
PIECES_MAX = 256
"""Of one direction; more liquidity lies beyond than any of these cycles reaches."""

Rows = NDArray[Any]


class OurCycle:
    """One cycle in the arrays that the kernels read."""

    def __init__(self, cycle: Cycle) -> None:
        self._cycle = cycle
        pairs: list[Rows] = []
        pools: list[Rows] = []
        ticks: list[Rows] = []
        hops = []
        for leg in cycle:
            is_pair = isinstance(leg.state, ConstantProductState)
            form, rows = (FORM_PAIR, pairs) if is_pair else (FORM_CONCENTRATED, pools)
            hops.append([form, len(rows), leg.token_in])
            if isinstance(leg.state, ConstantProductState):
                rows.append(_packed_pair(leg.state))
                continue
            table = leg.state.table
            first = sum(len(one) for one in ticks)
            packed = concentrated_exact.pack_ticks(
                table.ticks, table.liquidity_nets, table.sqrt_ratios_x96
            )
            ticks.append(packed)
            rows.append(_packed_pool(leg, first, first + len(packed)))
        self._pairs = _stacked(pairs, constant_product.POOL_COLUMNS)
        self._pools = _stacked(pools, concentrated_exact.POOL_COLUMNS)
        self._ticks = _stacked(
            [row for rows in ticks for row in rows], concentrated_exact.TICK_COLUMNS
        )
        self._hops = np.array(hops, np.int64)
        self._legs = np.arange(len(cycle))
        self._terms = np.array(RouteTerms(input_max=float(INPUT_RAW_MAX)).as_row())
        self._sized, self._exact = np.zeros(layout.OUT_COLUMNS), np.zeros((OUT_ROWS, 4), np.uint64)
        self.make_pieces()

    def make_pieces(self) -> None:
        """Make the pieces of all legs from their states."""
        tables = SideTables()
        for leg, (_, row, token_in) in zip(self._cycle, self._hops, strict=True):
            tables.add_pieces(self._pieces(leg, row, token_in))
        self._arrays = tables.arrays

    def _pieces(self, leg: Leg, row: int, token_in: int) -> Pieces:
        state = leg.state
        if isinstance(state, ConstantProductState):
            reserves = (state.reserve0_raw, state.reserve1_raw)
            return pieces_of_pair(
                reserve_in=float(reserves[token_in]),
                reserve_out=float(reserves[1 - token_in]),
                keep_ratio=1.0 - state.fee0_numerator / state.fee_denominator,
            )
        rows = np.zeros((PIECES_MAX, concentrated.PIECE_COLUMNS))
        count = concentrated.fill_pieces(self._pools[row], self._ticks, token_in, rows)
        return pieces_of_virtual_reserves(rows[:count])

    def size(self) -> None:
        """Find the best input in floats."""
        size_route(self._legs, *self._arrays, self._terms, self._sized)

    def confirm(self) -> None:
        """Find the best whole input beside it."""
        amount = to_limbs(int(self._sized[layout.OUT_INPUT]))
        confirm_best(self._pairs, self._pools, self._ticks, self._hops, amount, REACH, self._exact)

    def size_and_confirm(self) -> None:
        """Both, with the pieces at hand."""
        self.size()
        self.confirm()

    def all_anew(self) -> None:
        """Both, from the pools' states on."""
        self.make_pieces()
        self.size_and_confirm()

    @property
    def pieces(self) -> list[Pieces]:
        """Every leg's pieces."""
        _, pieces, _ = self._arrays
        spans = self._arrays[0][:, [layout.FROM, layout.TO]].astype(int)
        return [pieces[first:end] for first, end in spans]

    @property
    def found(self) -> tuple[int, int]:
        """The best whole input and its gain."""
        paid = from_limbs(self._exact[OUT_PAID])
        return paid, from_limbs(self._exact[OUT_GOT]) - paid


def _packed_pair(state: ConstantProductState) -> Rows:
    scale = state.fee_denominator
    return constant_product.pack_pool(
        reserves_raw=(state.reserve0_raw, state.reserve1_raw),
        keep_numerators=(scale - state.fee0_numerator, scale - state.fee1_numerator),
        fee_denominator=scale,
    )


def _packed_pool(leg: Leg, first: int, end: int) -> Rows:
    state = leg.state
    assert not isinstance(state, ConstantProductState)
    return concentrated_exact.pack_pool(
        sqrt_price_x96=state.sqrt_price_x96,
        liquidity=state.liquidity,
        tick=state.tick,
        tick_spacing=state.table.tick_spacing,
        fee_pips=state.fee_pips,
        ticks_from=first,
        ticks_to=end,
        known=(state.table.known_min, state.table.known_max),
    )


def _stacked(rows: list[Rows], columns: int) -> Rows:
    return np.vstack(rows) if rows else np.zeros((0, columns), np.uint64)


def _agreement(cycles_of_kind: Sequence[Cycle], answers: Sequence[Answer]) -> str:
    """Say by how much the gains differ, either way, and how many of the peer's are not true.

    True is what the exact forms give for the peer's own input, as the contracts would.
    """
    behind, ahead, refuted = 0.0, 0.0, 0
    for cycle, answer in zip(cycles_of_kind, answers, strict=True):
        case = OurCycle(cycle)
        case.size_and_confirm()
        _, gain = case.found
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
    anew = _time([case.all_anew for case in cases])
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
        (f"{kind}: pieces, size and confirm", anew, (by_path, by_call, together)),
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
