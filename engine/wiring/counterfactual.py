"""The same recorded hours again, with and without advice.

Both ways are played by the same rules: what answered the recorded run's own acts (an intent that
was stored, an approval) is left out, as another way acts otherwise; intents count as durable at
once, and what a mode kept from trading is traded on paper. What the recorded run saw of the world
holds until it saw something else, and so does what it was told of trials on forks: what fails there
is not sent, and what takes more gas pays it, also in the way that does without the advice.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Final

import msgspec

from engine.bus.records import Record
from engine.core.inputs.advised import ADVISED, Advised
from engine.core.inputs.approval_answered import APPROVAL_ANSWERED
from engine.core.inputs.approval_delivered import APPROVAL_DELIVERED
from engine.core.inputs.intent_stored import INTENT_STORED
from engine.core.inputs.kind import NO_STREAM
from engine.core.inputs.limits_set import LIMITS_SET, LimitsSet
from engine.core.inputs.switched import SWITCHED, ControlState
from engine.domain.advice import DatedAdvice
from engine.domain.errors import BadValueError
from engine.domain.modes import Mode
from engine.execute.fork_word import AdvisedWord, ForkWord
from engine.operate.core_parts import Core
from engine.operate.recording import Entry, EntryKind, read_entries
from engine.operate.run_header import RunHeader, decode_header
from engine.operate.world import KILLED, LEDGER_BEHIND
from engine.settings.schema import TelegramSettings
from engine.wiring.core import Surroundings, build_core

_ANSWERS: Final = frozenset(
    kind.number for kind in (INTENT_STORED, APPROVAL_ANSWERED, APPROVAL_DELIVERED)
)


@dataclass(slots=True)
class FollowingWorld:
    """Answers what the recorded run saw last; obeys `operate.world.World`."""

    killed: bool = False
    behind: bool = False

    def saw(self, what: str, *, answer: bool) -> None:
        """Take a recorded look."""
        if what == KILLED:
            self.killed = answer
        elif what == LEDGER_BEHIND:
            self.behind = answer

    def is_killed(self) -> bool:
        """See `World.is_killed`."""
        return self.killed

    def is_ledger_behind(self) -> bool:
        """See `World.is_ledger_behind`."""
        return self.behind

    def shows_killed(self) -> bool:
        """See `World.shows_killed`."""
        return self.killed

    def shows_ledger_behind(self) -> bool:
        """See `World.shows_ledger_behind`."""
        return self.behind


Change = Callable[[Entry], Entry | None]
"""Returns an input as one way is to have it, None to leave it out."""


def unchanged(entry: Entry) -> Entry | None:
    """The way in which all was as it was."""
    return entry


def without_any(entry: Entry) -> Entry | None:
    """The way in which nothing was ever advised."""
    return None if entry.kind == ADVISED.number else entry


def without(discoveries: frozenset[int]) -> Change:
    """Return the way in which these were never made."""

    def change(entry: Entry) -> Entry | None:
        if entry.kind != ADVISED.number:
            return entry
        payload = ADVISED.decode(entry.payload).without(discoveries)
        return Entry(
            entry.seq, entry.kind, entry.stream, entry.at_ns, entry.key, ADVISED.encode(payload)
        )

    return change


def play(
    path: Path,
    *,
    first: int,
    put: Callable[[Record], None],
    change: Change,
    limits: Mapping[str, Decimal] | None = None,
    forks: ForkWord | None = None,
) -> RunHeader:
    """Play a recording one way; return its header.

    Args:
        path: a run's folder.
        first: number of the segment to begin at; 0 is the run's beginning.
        put: is given all records that the way leads to.
        change: what this way has otherwise.
        limits: that this way has otherwise, whatever the operator set; looser than the settings
            none is.
        forks: what forks say of transactions; None is what the recorded run was advised of that.

    Raises:
        BadValueError: the recording cannot be read.
    """
    entries = read_entries(path, first=first)
    beginning = next(entries, None)
    if beginning is None or beginning.kind != EntryKind.HEADER:
        raise BadValueError(f"{path} does not begin with a run's header")
    header = decode_header(beginning.payload)
    world = FollowingWorld()
    advised = AdvisedWord()
    core = build_core(_on_paper(header), _surroundings(world, put, forks or advised))
    entries = _from_checkpoint(entries, core)
    core.control.mode = Mode.PAPER  # also where a checkpoint knew another
    own = dict(limits or {})
    if own:
        core.decider.take_limits({**core.decider.limits.by_operator, **own})
    for entry in _with_advice_known(_inputs(entries, world), core):
        if entry.kind == ADVISED.number:
            advised.take(ADVISED.decode(entry.payload).advice)
        changed = change(entry)
        if changed is not None:
            _feed(core, changed, own)
    return header


def _with_advice_known(entries: Iterator[Entry], core: Core) -> Iterator[Entry]:
    """Give what a checkpoint knows of advice as an input, so that a way can be without it."""
    first = next(entries, None)
    if first is None:
        return
    if known := core.advice.all:
        _feed(core, _advised((), first), {})
        yield _advised(known, first)
    yield first
    yield from entries


def _advised(advice: tuple[DatedAdvice, ...], beside: Entry) -> Entry:
    payload = ADVISED.encode(Advised(advice=advice))
    return Entry(beside.seq, ADVISED.number, NO_STREAM, beside.at_ns, "", payload)


def _from_checkpoint(entries: Iterator[Entry], core: Core) -> Iterator[Entry]:
    second = next(entries, None)
    if second is None:
        return iter(())
    if second.kind == EntryKind.CHECKPOINT:
        core.frame.load(second.payload)
        return entries
    return chain((second,), entries)


def _inputs(entries: Iterator[Entry], world: FollowingWorld) -> Iterator[Entry]:
    """Return the inputs; what the world was seen as with each is told before it."""
    waiting: Entry | None = None
    for entry in entries:
        if entry.is_input:
            if waiting is not None:
                yield waiting
            waiting = None if entry.kind in _ANSWERS else entry
        elif entry.kind == EntryKind.OBSERVED:
            world.saw(entry.key, answer=entry.payload == b"1")
    if waiting is not None:
        yield waiting


def _feed(core: Core, entry: Entry, limits: Mapping[str, Decimal]) -> None:
    payload = entry.payload
    if entry.kind == SWITCHED.number:
        payload = SWITCHED.encode(_paper(SWITCHED.decode(payload)))
    elif entry.kind == LIMITS_SET.number and limits:
        was = LIMITS_SET.decode(payload).limits
        payload = LIMITS_SET.encode(LimitsSet(limits={**was, **limits}))
    core.hot_path.accept(
        entry.kind, stream=entry.stream, key=entry.key, payload=payload, at_ns=entry.at_ns
    )


def _on_paper(header: RunHeader) -> RunHeader:
    return msgspec.structs.replace(
        header,
        control=_paper(header.control),
        terms=msgspec.structs.replace(header.terms, waits_for_intents=False),
    )


def _paper(control: ControlState) -> ControlState:
    return msgspec.structs.replace(control, mode=Mode.PAPER)


def _surroundings(
    world: FollowingWorld, put: Callable[[Record], None], forks: ForkWord
) -> Surroundings:
    return Surroundings(
        world=world,
        put=put,
        log=lambda _line: None,
        recorder=None,
        forks=forks,
        opportunity_usd_min=TelegramSettings().opportunity_usd_min,
    )


def segment_since(path: Path, numbers: Sequence[int], since_ns: int) -> int:
    """Return the number of the last segment that begins before an instant, else the first."""
    found = numbers[0]
    for number in numbers[1:]:
        first_input = next((one for one in read_entries(path, first=number) if one.is_input), None)
        if first_input is None or first_input.at_ns > since_ns:
            break
        found = number
    return found
