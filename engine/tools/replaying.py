"""Replay a recorded run, and trace a decision to the frames that caused it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from engine.bus.reports import WhyReport
from engine.core.input_list import INPUTS
from engine.core.inputs.kind import AnyKind
from engine.domain.errors import BadValueError, SyndicateError
from engine.facade.engine import Facade
from engine.operate import exit_codes
from engine.operate.core_parts import Core
from engine.operate.hot_path import HotPath
from engine.operate.recording import (
    Entry,
    EntryKind,
    number_of,
    read_entries,
    segment_before,
    segments_of,
)
from engine.operate.run_header import RunHeader, decode_header
from engine.operate.streams import put_out, say_last
from engine.operate.world import ReplayedWorld
from engine.ports import InputKind
from engine.requests.why import GetWhy
from engine.settings.schema import TelegramSettings
from engine.wiring.core import Surroundings, build_core
from engine.wiring.paths import Paths

PROGRESS_S: Final = 2.0
SHOWN_BYTES: Final = 2_000
STEP_BYTES_MAX: Final = 64 << 20
"""What one input may have led to; a small file can unpack to any size."""
ENTRY_BYTES: Final = 200
"""Memory of an entry beside its payload."""

_NAMES: Final = {kind.number: kind.name.upper() for kind in INPUTS}


@dataclass(slots=True)
class _Step:
    """An input with what was observed and decided because of it."""

    entry: Entry
    observed: list[Entry] = field(default_factory=list)
    decided: list[bytes] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ReplayResult:
    """What a replay came to.

    Attributes:
        first_difference: number of the first input whose decisions differ, None if all agree.
        is_complete: the recording was closed in order; else its last moments may be missing.
    """

    run_id: str
    inputs: int
    frames: int
    decisions: int
    first_difference: int | None
    is_complete: bool
    seconds: float
    found: int
    planned: int
    traded: int
    profit_usd_paper: float


def replay_run(path: Path, *, log_to: Path | None, first: int = 0) -> int:
    """Replay a recording, print the comparison as JSON; exit code 0 if every decision agrees."""
    lines: list[bytes] = []
    result = replay(path, lines=lines, first=first)
    if log_to is not None:
        log_to.write_bytes(b"".join(line + b"\n" for line in lines))
    put_out(msgspec.json.encode(msgspec.to_builtins(result)).decode() + "\n")
    if result.first_difference is None:
        say_last(
            f"replay: {result.decisions} decision lines agree byte for byte "
            f"({result.inputs} inputs in {result.seconds:.1f} s)\n"
        )
        return exit_codes.OK
    say_last(f"replay: the decisions differ from input {result.first_difference} on\n")
    return 1


def replay(
    path: Path, *, lines: list[bytes], first: int = 0, kinds: Sequence[AnyKind] = INPUTS
) -> ReplayResult:
    """Feed a recording through the same code as live; `lines` receives the decision log.

    Args:
        path: a run's folder, or one segment.
        lines: receives the decision log.
        first: number of the segment to begin at, by the checkpoint in it; 0 is the run's beginning.
        kinds: the kinds of input that there are.

    Raises:
        BadValueError: the recording cannot be read, or its beginning is gone.
    """
    try:
        return _replay(path, first, lines, kinds)
    except SyndicateError:
        raise
    except Exception as error:  # a file from anywhere; whatever breaks, it is the file
        raise BadValueError(
            f"{path} cannot be replayed, it is damaged or of another version: "
            f"{type(error).__name__} {str(error)[:200]}"
        ) from error


def _replay(path: Path, first: int, lines: list[bytes], kinds: Sequence[AnyKind]) -> ReplayResult:
    begins_at = number_of(segments_of(path)[0])
    if path.is_dir() and not first and begins_at != 1:
        raise BadValueError(
            f"{path} begins at segment {begins_at}, as its first segment is gone (disk budget): "
            f"FROM={begins_at} replays what is left"
        )
    entries = read_entries(path, first=first)
    header = _header(entries, path)
    world = ReplayedWorld()
    core = build_core(header, _surroundings(world, lines, kinds))
    if first > 1 or path.is_file():
        entries = _begin(entries, core, path)
    result = ReplayResult(
        run_id=header.run_id,
        inputs=0,
        frames=0,
        decisions=0,
        first_difference=None,
        is_complete=False,
        seconds=0.0,
        found=0,
        planned=0,
        traded=0,
        profit_usd_paper=0.0,
    )
    started_s = told_s = time.monotonic()
    for step in _steps(entries, result):
        _feed(core.hot_path, step, world, lines, result)
        if time.monotonic() - told_s > PROGRESS_S:
            told_s = time.monotonic()
            say_last(f"replay: {result.inputs} inputs ...\n")
    result.seconds = round(time.monotonic() - started_s, 3)
    _sum_up(core, result, lines)
    return result


async def trace_decision(facade: Facade, paths: Paths, ref: str) -> int:
    """Print the frames behind an opportunity or trade, from the ledger and the recording."""
    report = await facade.ask(GetWhy(ref=ref))
    if not isinstance(report, WhyReport):
        say_last(f"syndicate: no opportunity or trade {ref} is known; make trace lists some\n")
        return 1
    wanted = set(report.frame_seqs) | {leg.frame_seq for leg in report.legs if leg.frame_seq}
    run_directory = paths.recording(report.run_id)
    found: set[int] = set()
    begins_at = segment_before(run_directory, min(wanted))
    for entry in read_entries(run_directory, first=begins_at):
        if entry.seq in wanted and entry.is_input:
            found.add(entry.seq)
            put_out(_shown(entry) + "\n")
            if found == wanted:
                break
    if missing := sorted(wanted - found):
        say_last(
            f"syndicate: inputs {missing} of run {report.run_id} are no longer recorded "
            "(disk budget) or not yet on disk\n"
        )
        return 1
    return exit_codes.OK


def _shown(entry: Entry) -> str:
    text = _harmless(entry.payload[:SHOWN_BYTES].decode(errors="replace"))
    cut = f" ... ({len(entry.payload)} bytes)" if len(entry.payload) > SHOWN_BYTES else ""
    key = f" {_harmless(entry.key)}" if entry.key else ""
    name = _NAMES.get(entry.kind, str(entry.kind))
    return f"input {entry.seq} {name}{key} at {entry.at_ns}: {text}{cut}"


def _harmless(text: str) -> str:
    """Return text with whatever could steer a terminal written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _header(entries: Iterator[Entry], path: Path) -> RunHeader:
    first = next(entries, None)
    if first is None or first.kind != EntryKind.HEADER:
        raise BadValueError(
            f"{path} does not begin with a run's header: its first segment is gone (disk budget) "
            "or was not named; a run can be replayed from its beginning only"
        )
    return decode_header(first.payload)


def _begin(entries: Iterator[Entry], core: Core, path: Path) -> Iterator[Entry]:
    """Bring the core to where a segment begins; returns what comes behind it."""
    second = next(entries, None)
    if second is not None and second.kind == EntryKind.CHECKPOINT:
        core.frame.load(second.payload)
        if core.hot_path.seq != second.seq:
            raise BadValueError(f"{path} is damaged: a checkpoint is of input {second.seq}")
        return entries
    if path.is_dir():
        raise BadValueError(f"{path} cannot be replayed from this segment: it has no checkpoint")
    return entries if second is None else chain((second,), entries)


def _surroundings(
    world: ReplayedWorld, lines: list[bytes], kinds: Sequence[AnyKind]
) -> Surroundings:
    return Surroundings(
        world=world,
        put=lambda _record: None,
        log=lines.append,
        recorder=None,
        opportunity_usd_min=TelegramSettings().opportunity_usd_min,
        kinds=kinds,
    )


def _steps(entries: Iterator[Entry], result: ReplayResult) -> Iterator[_Step]:
    """Group each input with the entries behind it."""
    step: _Step | None = None
    held_bytes = 0
    for entry in entries:
        held_bytes = 0 if entry.is_input else held_bytes + len(entry.payload) + ENTRY_BYTES
        if held_bytes > STEP_BYTES_MAX:
            raise BadValueError(
                f"the recording is damaged: more than {STEP_BYTES_MAX >> 20} MB follow one input"
            )
        if entry.is_input:
            if step is not None:
                yield step
            step = _Step(entry)
        elif entry.kind == EntryKind.ENDED:
            result.is_complete = True
        elif step is not None and entry.kind == EntryKind.OBSERVED:
            step.observed.append(entry)
        elif step is not None and entry.kind == EntryKind.DECIDED:
            step.decided.append(entry.payload)
    if step is not None and result.is_complete:
        yield step  # of a cut recording, the last input's decisions may be missing


def _feed(
    hot_path: HotPath,
    step: _Step,
    world: ReplayedWorld,
    lines: list[bytes],
    result: ReplayResult,
) -> None:
    for seen in step.observed:
        world.saw(seen.key, answer=seen.payload == b"1")
    entry = step.entry
    before = len(lines)
    if entry.seq != hot_path.seq + 1:
        raise BadValueError(
            f"the recording is damaged: an input has number {entry.seq} behind {hot_path.seq}"
        )
    is_frame = entry.kind == InputKind.FRAME
    if is_frame and entry.key and not entry.key.isdecimal():
        raise BadValueError(f"the recording is damaged: frame {entry.seq} has an odd receive time")
    hot_path.accept(
        entry.kind, stream=entry.stream, key=entry.key, payload=entry.payload, at_ns=entry.at_ns
    )
    result.inputs += 1
    result.frames += is_frame
    result.decisions += len(step.decided)
    if result.first_difference is None and lines[before:] != step.decided:
        result.first_difference = entry.seq


def _sum_up(core: Core, result: ReplayResult, lines: list[bytes]) -> None:
    result.decisions = len(lines)
    result.found = core.journal.counts.found
    result.planned = core.journal.counts.planned
    result.traded = core.journal.counts.traded
    result.profit_usd_paper = float(round(core.journal.counts.profit_usd, 6))
