"""Measures what each line of advice changes, segment by recorded segment, while nothing else runs.

A line is all that is advised of one kind about one thing: pieces that take each other's place. A
segment begins with the core as it was then, so that it can be played alone: once as it was and once
without each line that was advised in it; a run plays one, and may be held between two ways. What
differs adds up over segments
until there is an hour of it; then it is told for good, and the next hour is measured anew. Other
limits are played likewise by a task of their own (`limit_task`), beside it: one alone leaves a core
idle whenever somebody more urgent has the one that it is on.
"""

import gc
import sys
from collections.abc import Callable, Generator, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from engine.background.effects import CONFIDENCE, SPAN_NS, Tally, differences, judge
from engine.background.ports import Bounds, Discovery, EffectFound, Given, Outcome, Priority, Task
from engine.background.wants import AdvisedNow, Recorded, RecordedGiven
from engine.domain.advice import ThresholdProposal
from engine.domain.discoveries import Effect, Sums
from engine.domain.errors import BadValueError
from engine.domain.units import NS_PER_HOUR
from engine.operate.recording import SUFFIX, Entry, read_entries
from engine.wiring.advice_lines import line_of
from engine.wiring.limit_trials import limits_of
from engine.wiring.recorded import judged

if TYPE_CHECKING:
    from engine.wiring.counterfactual import Change

WANT: Final = Recorded()
LINES_MAX: Final = 6
"""Most lines that a segment is played without, those that were measured least first."""

LINES_KEPT: Final = 64
SPANS_HOUR: Final = NS_PER_HOUR // SPAN_NS
BEHIND_MAX: Final = 12
"""Who is more segments behind goes on with the newest: its advice is of now."""

BOUNDS: Final = Bounds(wall_s=3_600.0, cpu_s=900.0, memory_mb=95, untouched_mb=500)
"""Of a run that plays a segment: two fit into what all runs may take, with a small one beside."""

Finds = tuple[Discovery, ...]
NOTHING: Final = Sums(profit_usd=0.0, found=0, captured=0, cost_usd=0.0)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """What a line of advice came to so far.

    Attributes:
        gains_usd: by span, with it less without it.
        given, withheld: both ways in all.
    """

    gains_usd: tuple[float, ...] = ()
    given: Sums = NOTHING
    withheld: Sums = NOTHING

    def and_then(self, gains_usd: Iterable[float], given: Sums, withheld: Sums) -> "Line":
        """Return it after another segment."""
        return Line(
            gains_usd=(*self.gains_usd, *gains_usd),
            given=_sum(self.given, given),
            withheld=_sum(self.withheld, withheld),
        )


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How a segment went one way.

    Attributes:
        number: of the segment; -1 of none.
        since_ns, until_ns: of its inputs.
        profit_usd: by span.
        seqs: numbers of the discoveries that were advised in it, by line.
    """

    number: int = -1
    since_ns: int = 0
    until_ns: int = 0
    profit_usd: dict[int, float] = {}
    sums: Sums = NOTHING
    seqs: dict[str, tuple[int, ...]] = {}

    def tally(self) -> Tally:
        """Return it as effects are worked out from."""
        return Tally(since_ns=self.since_ns, profit_usd=dict(self.profit_usd))


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """How far it is.

    Attributes:
        folder: of the run that is measured.
        upto: number of the last segment that is done.
        as_it_was: how the next one went, once that is known.
        done: lines that it was played without.
        lines: what all came to.
        unread: how many segments of the run could not be read, so that they are in no figure.
    """

    folder: str = ""
    upto: int = -1
    as_it_was: Way = Way()
    done: tuple[str, ...] = ()
    lines: dict[str, Line] = {}
    unread: int = 0


Turns = Callable[[Measuring, RecordedGiven], list[str]]
"""Returns the ways that a segment is to be played yet, once it is known how it was."""

Told = Callable[[Measuring, RecordedGiven, int], tuple[tuple[EffectFound, ...], Finds]]
"""Returns what is told after a segment, at an instant."""


def measure(
    given: Given,
    state: Measuring,
    *,
    turns: Turns,
    told: Told,
) -> Generator[Measuring, None, Outcome[Measuring]]:
    """Play the next segment that is to be played all its ways, as to load a core takes a while."""
    what = given.of(WANT)
    yield state
    if state.folder != what.folder:
        state = Measuring(folder=what.folder, lines=state.lines)
    number = _next(state, what.segments)
    effects: tuple[EffectFound, ...] = ()
    found: Finds = ()
    if number is not None:
        try:
            state = _one_way(state, what, number, turns)
            while state.upto != number:  # not at its end: what goes on from there is the next one
                yield state
                state = _one_way(state, what, number, turns)
        except BadValueError as error:
            state = _passed(state, what, number, error)
        if state.upto == number:
            effects, found = told(state, what, given.at_ns)
            state = replace(state, lines=_going_on(state.lines))
    return Outcome(
        found=found,
        effects=effects,
        has_more=number is not None and _next(state, what.segments) is not None,
        learned=state,
        measured={
            "segment": float(-1 if number is None else number),
            "lines": float(len(state.lines)),
            "spans": float(sum(len(line.gains_usd) for line in state.lines.values())),
            "told": float(len(effects)),
            "unread": float(state.unread),
        },
    )


def _run(
    given: Given, held: Measuring | None, learned: Measuring | None
) -> Generator[Measuring, None, Outcome[Measuring]]:
    return measure(given, held or learned or Measuring(), turns=_turn, told=_told)


def _told(
    state: Measuring, what: RecordedGiven, at_ns: int
) -> tuple[tuple[EffectFound, ...], Finds]:
    return tuple(_effects(state, what, at_ns=at_ns)), ()


def _next(state: Measuring, segments: list[int]) -> int | None:
    """Return the segment to measure: the one after the last, but none that is too old."""
    ahead = [number for number in segments[-BEHIND_MAX:] if number > state.upto]
    return ahead[0] if ahead else None


def _passed(state: Measuring, what: RecordedGiven, number: int, error: BadValueError) -> Measuring:
    """Go on with the next segment; one that is there all the same and cannot be read is counted."""
    is_there = _path_of(what, number).exists()  # else it was let go of meanwhile
    if is_there:
        sys.stderr.write(f"discovery_effects: segment {number} is left out: {error}\n")
    unread = state.unread + is_there
    return replace(state, upto=number, as_it_was=Way(), done=(), unread=unread)


def _path_of(what: RecordedGiven, number: int) -> Path:
    return Path(what.folder) / f"{number:06}{SUFFIX}"


def _one_way(state: Measuring, what: RecordedGiven, number: int, turns: Turns) -> Measuring:
    """Play a segment the next way; with the last one it is done."""
    path = _path_of(what, number)
    if state.as_it_was.number != number:
        state = replace(state, as_it_was=_as_it_was(path, number), done=())
    else:
        line = turns(state, what)[0]
        state = replace(
            state,
            lines=_with_line(state, what, line, path),
            done=(*state.done, line),
        )
    if not turns(state, what):
        state = replace(state, upto=number, as_it_was=Way(), done=())
    return state


def _with_line(state: Measuring, what: RecordedGiven, line: str, path: Path) -> dict[str, Line]:
    """Return what lines came to, with a segment's difference for one of them."""
    was = state.as_it_was
    tally = _other_way(path, was, line, what.advised)
    if tally is None:
        return state.lines
    gains = differences(was.tally(), tally, until_ns=was.until_ns)
    ways = (was.sums, tally.sums())
    if limits_of(line) or _is_proposed(
        line, what.advised
    ):  # it is as it was: what is other is with it
        gains, ways = [-gain for gain in gains], (ways[1], ways[0])
    return state.lines | {line: state.lines.get(line, Line()).and_then(gains, *ways)}


def _turn(state: Measuring, what: RecordedGiven) -> list[str]:
    """Return the lines to play a segment without, those of which least is known first."""
    proposals = [one.line for one in what.advised if isinstance(one.advice, ThresholdProposal)]
    in_force = {one.line for one in what.advised}
    left = {*state.as_it_was.seqs, *proposals} - {*state.done}
    places = max(0, LINES_MAX - len(state.done))

    def rank(line: str) -> tuple[bool, int, str]:
        return line not in in_force, len(state.lines.get(line, Line()).gains_usd), line

    return sorted(left, key=rank)[:places]


def _as_it_was(path: Path, number: int) -> Way:
    """Play a segment as it was, and see what was advised in it."""
    from engine.core.inputs.advised import ADVISED  # noqa: PLC0415 - the core, for this run alone

    seqs: dict[str, set[int]] = {}
    until_ns = since_ns = next((one.at_ns for one in read_entries(path) if one.is_input), 0)

    def look(entry: Entry) -> Entry:
        nonlocal until_ns
        if entry.kind == ADVISED.number:
            for one in ADVISED.decode(entry.payload).advice:
                seqs.setdefault(line_of(one.advice), set()).add(one.discovery)
        until_ns = max(until_ns, entry.at_ns)
        return entry

    tally = _played(path, look, Tally(since_ns=since_ns))
    return Way(
        number=number,
        since_ns=since_ns,
        until_ns=until_ns,
        profit_usd=tally.profit_usd,
        sums=tally.sums(),
        seqs={line: tuple(sorted(of - {0})) for line, of in sorted(seqs.items())},
    )


def _other_way(path: Path, was: Way, line: str, advised: list[AdvisedNow]) -> Tally | None:
    """Play a segment without a line, or with what is proposed; None if that says nothing."""
    from engine.wiring.counterfactual import unchanged, without  # noqa: PLC0415 - likewise

    tally = Tally(since_ns=was.since_ns)
    if trial := limits_of(line):
        return _played(path, unchanged, tally, trial)
    for one in advised:
        if one.line == line and isinstance(one.advice, ThresholdProposal):
            limits = {one.advice.term: Decimal(repr(one.advice.value))}
            return _played(path, unchanged, tally, limits)
    seqs = was.seqs.get(line, ())
    return _played(path, without(frozenset(seqs)), tally) if seqs else None


def _played(
    path: Path, change: "Change", tally: Tally, limits: dict[str, Decimal] | None = None
) -> Tally:
    from engine.wiring.counterfactual import play  # noqa: PLC0415 - likewise

    try:
        play(path, first=0, put=tally.take, change=change, limits=limits)
    finally:
        gc.collect()  # a core is a web of references: two of them would not fit
    return tally


def _is_proposed(line: str, advised: list[AdvisedNow]) -> bool:
    return any(one.line == line and isinstance(one.advice, ThresholdProposal) for one in advised)


def _effects(
    state: Measuring, what: RecordedGiven, *, at_ns: int
) -> Generator[EffectFound, None, None]:
    """Tell what is known by now of each line that is in force."""
    for one in what.advised:
        line = state.lines.get(one.line)
        if line is not None and line.gains_usd:
            yield EffectFound(
                seq=one.seq,
                effect=judged(effect_of(state, line, what, at_ns=at_ns), one.advice),
            )


def effect_of(
    state: Measuring,
    line: Line,
    what: RecordedGiven,
    *,
    at_ns: int,
    confidence: float = CONFIDENCE,
) -> Effect:
    """Return what is known by now of a line."""
    effect = judge(
        line.gains_usd,
        given=line.given,
        withheld=line.withheld,
        measured_at_ns=at_ns,
        run_id=Path(what.folder).name,
        confidence=confidence,
    )
    return replace(effect, is_of_line=True, unread=state.unread)


def _going_on(lines: dict[str, Line]) -> dict[str, Line]:
    """Return what the next segment adds to: not more than so many lines, none of a whole hour."""
    open_ = {name: line for name, line in lines.items() if len(line.gains_usd) < SPANS_HOUR}
    return dict(list(open_.items())[-LINES_KEPT:])


def _sum(one: Sums, other: Sums) -> Sums:
    return Sums(
        profit_usd=one.profit_usd + other.profit_usd,
        found=one.found + other.found,
        captured=one.captured + other.captured,
        cost_usd=one.cost_usd + other.cost_usd,
    )


DISCOVERY_EFFECTS: Final = Task(
    name="discovery_effects",
    agent="coordinator",
    does="plays what was recorded without each line of advice: what would change?",
    state=Measuring,
    run=_run,
    wants=(WANT,),
    bounds=BOUNDS,
    every_s=60.0,
    priority=Priority.LOW,
)
