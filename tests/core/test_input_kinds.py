"""What holds of every kind of input, and what it takes to add one."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.core.input_list import INPUTS
from engine.core.inputs.kind import NO_ANSWERS, NO_STREAM, Answers, AnyKind, Input, Kind
from engine.core.middle import Middle
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.holdings import Capital
from engine.domain.instruments import VenueId
from engine.operate.core_parts import Core
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import INPUTS_MAX, EntryKind, read_entries
from engine.operate.run_header import encode_header
from engine.tools.replaying import replay
from engine.wiring.core import build_core
from tests.reference.run_core import make_header, make_surroundings
from tests.reference.world import SECOND, START_NS, make_instrument

STRUCTURED = [kind for kind in INPUTS if kind.payload is not bytes]
HERE, USD = VenueId("here"), AssetCode("USD")


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """More paper money for a place."""

    usd: Decimal


def _grant(core: Middle, given: Input[Granted]) -> Answers:
    core.inventory.set_capital(HERE, [Capital(venue=HERE, asset=USD, usd=given.payload.usd)])
    return NO_ANSWERS


GRANTED = Kind(number=77, name="granted", payload=Granted, take=_grant)
"""A kind that no other file knows: this is all that it takes."""


def record(directory: Path, kinds: Sequence[AnyKind]) -> tuple[Path, list[bytes]]:
    """Record a run in which a grant is made; return where, and its decision log."""
    header = make_header([make_instrument("here"), make_instrument("there")], [])
    settings = RecorderSettings(directory=directory, segment_bytes=1 << 20, total_bytes_max=1 << 20)
    recorder, lines = Recorder(settings, header.run_id), list[bytes]()
    recorder.write(0, EntryKind.HEADER, 0, 0, "", encode_header(header))

    def log(line: bytes) -> None:
        recorder.write(0, EntryKind.DECIDED, 0, 0, "", line)
        lines.append(line)

    around = replace(make_surroundings(log=log, recorder=recorder), kinds=kinds)
    core: Core = build_core(header, around)
    core.hot_path.command(Granted(usd=Decimal("12.50")), START_NS)
    core.hot_path.tick(START_NS + SECOND)
    recorder.write(0, EntryKind.ENDED, 0, 0, "", b"")
    recorder.close()
    return recorder.run_directory, lines


def test_a_kind_is_one_definition_and_one_line_recorded_and_replayed(tmp_path: Path) -> None:
    kinds = (*INPUTS, GRANTED)

    run, lines = record(tmp_path, kinds)

    replayed: list[bytes] = []
    result = replay(run, lines=replayed, kinds=kinds)
    assert result.is_complete
    assert result.first_difference is None
    assert replayed == lines
    assert any(b'"started":{"value":"12.5' in line for line in lines)  # it had its effect
    (entry,) = [entry for entry in read_entries(run) if entry.kind == GRANTED.number]
    assert (entry.stream, entry.payload) == (NO_STREAM, b'{"usd":"12.50"}')


def test_a_replay_that_does_not_know_a_kind_says_so(tmp_path: Path) -> None:
    run, _lines = record(tmp_path, (*INPUTS, GRANTED))

    with pytest.raises(BadValueError, match="no input has the kind 77"):
        replay(run, lines=[])


def test_numbers_and_names_stand_for_one_kind_each_and_for_no_other_entry() -> None:
    numbers = [kind.number for kind in INPUTS]

    assert len(set(numbers)) == len({kind.name for kind in INPUTS}) == len(INPUTS)
    assert all(0 < number <= INPUTS_MAX < min(EntryKind) for number in numbers)
    payloads = [kind.payload for kind in STRUCTURED]
    assert len(set(payloads)) == len(payloads)


@pytest.mark.parametrize(
    "kind", [k for k in INPUTS if k.payload is not bytes], ids=lambda k: k.name
)
def test_a_damaged_payload_ends_in_a_sentence(kind: AnyKind) -> None:
    with pytest.raises(BadValueError, match=f"an input {kind.name} cannot be read"):
        kind.decode(b"[" * 1_000)
