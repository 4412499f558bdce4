import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.command import Kind
from bot.command_table import COMMANDS
from bot.dispatch import Dispatcher, Invocation, read_line
from engine.bus.reports import StatusReport
from engine.bus.request import Request
from engine.core.inputs.block import BLOCK
from engine.core.inputs.pool_added import POOL_ADDED
from engine.domain.errors import BadValueError
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.market.matrix_file import shared_path
from engine.operate.recorder import Recorder, RecorderSettings
from engine.operate.recording import Entry, EntryKind, number_of, read_entries, segments_of
from engine.ports import InputKind
from engine.requests.balance import GetBalance
from engine.requests.overview import (
    GetLimits,
    GetOpportunities,
    GetSpreads,
    GetStatus,
    GetVenues,
    GetVersion,
)
from engine.requests.why import GetWhy
from engine.tools.replaying import replay
from engine.wiring.paths import Paths
from tests.patience import insist
from tests.scenarios.rig import run_engine_command, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


def rewrite(entries: list[Entry], directory: Path) -> Path:
    settings = RecorderSettings(directory=directory, segment_bytes=1 << 26, total_bytes_max=1 << 30)
    recorder = Recorder(settings, "changed")
    for entry in entries:
        recorder.write(entry.seq, entry.kind, entry.stream, entry.at_ns, entry.key, entry.payload)
    recorder.close()
    return recorder.run_directory


def has_block(status: StatusReport) -> bool:
    return any(line.is_chain and line.frames for line in status.venues)


def has_found(count: int) -> Callable[[StatusReport], bool]:
    return lambda status: status.found >= count


async def ask_everything(facade: Facade, ref: str) -> None:
    """Ask every command that only reads, as a chat does, and every question of the bus."""
    dispatcher = Dispatcher(facade=facade, settings=FrontEndSettings(), clock=time.time_ns)
    arguments = {"why": ref, "export": "audit"}
    for entry in COMMANDS:
        if entry.name == "alerts":
            continue  # they are the chat's own: no role is asked
        asked = read_line(f"/{entry.name} {arguments.get(entry.name, '')}")
        if isinstance(asked, Invocation) and (asked.kind is Kind.READ or entry.name == "mode"):
            await dispatcher.carry_out(asked, by="test")
    assert dispatcher.failed_count == 0
    questions: list[Request[Any]] = [
        GetStatus(),
        GetVenues(),
        GetOpportunities(limit=1_000),
        GetWhy(ref=ref),
        GetLimits(),
        GetSpreads(),
        GetBalance(),
        GetVersion(),
    ]
    for question in questions:
        await insist(facade, question)


async def test_a_recorded_run_replays_to_the_same_decisions_byte_for_byte(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir,
            phone,
            SYNDICATE_MARKETS_SANDBOX_FAULTS="light",
            SYNDICATE_RECORDING_SEGMENT_MB="1",
        ) as installation,
    ):
        await installation.until_live()
        await installation.until_status(has_block)
        await installation.go_to_paper()
        await installation.until_told("Paper trade")
        for number in range(3):
            found = await installation.until_status(has_found(number + 1))
            await ask_everything(installation.facade, f"{found.run_id}-{number + 1}")
        await installation.say("/balance reset", "Set paper money back?")
        installation.phone.person_taps("Set it back")
        await installation.until_told("every place holds its capital again")
        await installation.say("/kill", "KILLED")
        await installation.until_status(lambda status: status.refused.get("killed", 0) > 0)
        traded = (await installation.trades()).trades[-1]
        code, traced = await run_engine_command(data_dir, "trace", traded.opportunity_id)
        status = await installation.until_live()
        assert await installation.stop() == 0

    assert code == 0, traced
    assert "FRAME" in traced
    run = data_dir / "recordings" / status.run_id
    lines: list[bytes] = []
    result = replay(run, lines=lines)
    recorded = [entry.payload for entry in read_entries(run) if entry.kind == EntryKind.DECIDED]
    assert result.first_difference is None
    assert result.is_complete
    assert lines == recorded
    kinds = Counter(entry.kind for entry in read_entries(run))
    assert kinds[BLOCK.number] >= 1
    assert kinds[POOL_ADDED.number] == 11
    assert result.traded >= 1
    assert any(b"killed" in line for line in lines)
    deposits = [value for event, value in map(json.loads, lines) if event == "deposited"]
    places = Counter((one["venue"], one["added"]["asset"]) for one in deposits)
    assert set(places.values()) == {2}  # at the start, and at the reset

    segments = segments_of(run)
    assert len(segments) > 1
    for segment in {segments[1], segments[len(segments) // 2], segments[-1]}:
        tail: list[bytes] = []
        begun = replay(run, lines=tail, first=number_of(segment))
        assert begun.first_difference is None
        assert tail == lines[len(lines) - len(tail) :]

    code, said = await run_engine_command(data_dir, "replay", str(run))
    assert code == 0
    assert not shared_path(Paths(data_dir).run).exists(), "a replay shares no prices"
    # A replay that takes long tells its progress before its result.
    result_line = next(line for line in said.splitlines() if line.startswith("{"))
    assert json.loads(result_line)["first_difference"] is None

    _check_that_a_difference_is_found(run, tmp_path)


def _check_that_a_difference_is_found(run: Path, tmp_path: Path) -> None:
    """Without one frame, or with another answer of the latch, the decisions are not the same."""
    entries = list(read_entries(run))
    looks = [n for n, entry in enumerate(entries) if entry.kind == EntryKind.OBSERVED]
    flipped = list(entries)
    seen = flipped[looks[0]]
    flipped[looks[0]] = Entry(
        seen.seq, seen.kind, seen.stream, seen.at_ns, seen.key,
        b"1" if seen.payload == b"0" else b"0",
    )  # fmt: skip
    assert replay(rewrite(flipped, tmp_path / "a"), lines=[]).first_difference is not None

    headless = rewrite(entries[1:], tmp_path / "b")
    with pytest.raises(BadValueError, match="first segment is gone"):
        replay(headless, lines=[])

    first = next(n for n, entry in enumerate(entries) if entry.kind == InputKind.OPENED)
    renumbered = list(entries)
    renumbered[first] = replace(entries[first], seq=1 << 63)
    with pytest.raises(BadValueError, match="damaged: an input has number 9223372036854775808"):
        replay(rewrite(renumbered, tmp_path / "c"), lines=[])
