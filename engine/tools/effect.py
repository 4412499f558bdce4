"""What each discovery changed: the newest recorded hours, played with and without it."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.background.effects import Tally, compare
from engine.core.inputs.advised import ADVISED
from engine.domain.advice import AnyAdvice, ThresholdProposal
from engine.domain.discoveries import Effect
from engine.domain.errors import BadValueError, SyndicateError
from engine.domain.units import NS_PER_HOUR
from engine.facade.engine import Facade
from engine.operate.clock import make_clock
from engine.operate.recording import number_of, read_entries, segments_of
from engine.operate.streams import put_out, say_last
from engine.requests.discoveries import GetDiscoveries, KeepEffect
from engine.wiring.counterfactual import (
    Change,
    play,
    segment_since,
    unchanged,
    without,
    without_any,
)
from engine.wiring.paths import Paths
from engine.wiring.recorded import judged, newest_run

ALL: Final = 0
"""In the place of a discovery's number: all of them together."""

MEASURED_MAX: Final = 20
"""Most discoveries that one call measures each by itself: each is one more replay."""

Advised = dict[int, AnyAdvice]
"""Advice by the number of its discovery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours of a recording that are measured.

    Attributes:
        first: number of the segment in which they begin.
        until_ns: its last input.
        advised: what was in force in them.
    """

    path: Path
    first: int
    since_ns: int
    until_ns: int
    advised: Advised


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The effect of one discovery, or of all of them together (`seq` 0)."""

    seq: int
    effect: Effect
    is_stored: bool = False
    has_ended: bool = False


async def run_effect(
    paths: Paths, facade: Facade | None, *, hours: float, path: Path | None = None, seq: int = ALL
) -> int:
    """Measure, store with the discoveries, and print as JSON; exit code 0.

    Args:
        paths: of the installation.
        facade: by which effects are stored; None stores none.
        hours: how much of the recording's end is measured.
        path: a run's folder; the newest one if none is named.
        seq: measures this discovery alone.

    Raises:
        BadValueError: there is no recording, or it cannot be read.
    """
    found = await asyncio.to_thread(hours_of, path or newest_run(paths.recordings), hours)
    wanted = found.advised | await _proposals(facade)
    if seq != ALL:
        wanted = {one: advice for one, advice in wanted.items() if one == seq}
    results = await asyncio.to_thread(list, measure(found, wanted, at_ns=make_clock()()))
    results = [await _stored(facade, one) for one in results]
    put_out(msgspec.json.encode(results).decode() + "\n")
    for one in results:
        say_last(said(one) + "\n")
    if not wanted:
        say_last("effect: nothing was advised in these hours\n")
    return 0


def hours_of(path: Path, hours: float) -> Hours:
    """Return the last hours of a recording.

    Raises:
        BadValueError: it cannot be read, or holds no input.
    """
    numbers = [number_of(segment) for segment in segments_of(path)]
    ends = [one.at_ns for one in read_entries(path, first=numbers[-1]) if one.is_input]
    if not ends:
        raise BadValueError(f"{path} ends without an input")
    until_ns = max(ends)
    since_ns = until_ns - int(hours * NS_PER_HOUR)
    first = segment_since(path, numbers, since_ns)
    begins_ns: int | None = None
    advised: Advised = {}
    for entry in read_entries(path, first=first):
        if entry.is_input and begins_ns is None:
            begins_ns = entry.at_ns
        if entry.kind == ADVISED.number and entry.at_ns <= until_ns:
            advised |= {one.discovery: one.advice for one in ADVISED.decode(entry.payload).advice}
    advised.pop(ALL, None)
    return Hours(
        path=path,
        first=first,
        since_ns=max(since_ns, begins_ns or since_ns),
        until_ns=until_ns,
        advised=advised,
    )


def measure(hours: Hours, wanted: Advised, *, at_ns: int) -> Iterator[Measured]:
    """Play the hours as they were, without all advice, and without that of each discovery.

    A proposal changes nothing before a person takes it: it is played as if somebody had.

    Raises:
        BadValueError: the recording cannot be read.
    """
    as_it_was, run_id = _play(hours, unchanged)

    def effect(given: Tally, withheld: Tally) -> Effect:
        return compare(
            given, withheld, until_ns=hours.until_ns, measured_at_ns=at_ns, run_id=run_id
        )

    together = effect(as_it_was, _play(hours, without_any)[0]) if hours.advised else None
    if together is not None:
        yield Measured(seq=ALL, effect=together)
    for seq in sorted(wanted, reverse=True)[:MEASURED_MAX]:
        advice = wanted[seq]
        if isinstance(advice, ThresholdProposal):
            limits = {advice.term: Decimal(repr(advice.value))}
            yield Measured(seq=seq, effect=effect(_play(hours, unchanged, limits)[0], as_it_was))
        elif hours.advised.keys() == {seq} and together is not None:
            yield Measured(seq=seq, effect=judged(together, advice))  # the same two ways
        else:
            withheld, _ = _play(hours, without(frozenset({seq})))
            yield Measured(seq=seq, effect=judged(effect(as_it_was, withheld), advice))


def said(one: Measured) -> str:
    """Return a measured effect as a sentence."""
    effect = one.effect
    who = "all advice together" if one.seq == ALL else f"discovery {one.seq}"
    ended = "; it has ended" if one.has_ended else ""
    return (
        f"effect of {who}: {effect.verdict}, {effect.gain_usd_hour:+.2f} USD/h "
        f"({effect.low_usd_hour:+.2f} to {effect.high_usd_hour:+.2f}) over {effect.hours:.1f} h; "
        f"with it {effect.given.profit_usd:.2f} USD from {effect.given.captured} of "
        f"{effect.given.found}, without {effect.withheld.profit_usd:.2f} USD from "
        f"{effect.withheld.captured} of {effect.withheld.found}{ended}"
    )


def _play(
    hours: Hours, change: Change, limits: dict[str, Decimal] | None = None
) -> tuple[Tally, str]:
    tally = Tally(since_ns=hours.since_ns)
    header = play(hours.path, first=hours.first, put=tally.take, change=change, limits=limits)
    return tally, header.run_id


async def _proposals(facade: Facade | None) -> Advised:
    """Return the limits that are proposed now, of which the engine is told nothing."""
    if facade is None:
        return {}
    try:
        report = await facade.ask(GetDiscoveries(kinds=("strategy",), is_advice=True))
    except SyndicateError:
        return {}
    return dict(_proposed((line.seq, line.discovery.advice) for line in report.lines))


def _proposed(
    advice: Iterable[tuple[int, AnyAdvice | None]],
) -> Iterator[tuple[int, AnyAdvice]]:
    return ((seq, one) for seq, one in advice if isinstance(one, ThresholdProposal))


async def _stored(facade: Facade | None, one: Measured) -> Measured:
    """Store an effect; who measures without a ledger only prints it."""
    if facade is None or one.seq == ALL:
        return one
    try:
        reply = await facade.ask(KeepEffect(seq=one.seq, effect=one.effect))
    except SyndicateError as error:
        say_last(f"effect: of discovery {one.seq} nothing was stored: {error}\n")
        return one
    is_ended = getattr(reply, "ended", None)
    return replace(one, is_stored=is_ended is not None, has_ended=bool(is_ended))
