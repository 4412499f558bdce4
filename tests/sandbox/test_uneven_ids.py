"""The sandbox gives ids and times as venues do: in uneven steps; a gap may be of one alone."""

import json
from itertools import pairwise
from typing import Any

from engine.sandbox.fault_script import FaultKind
from engine.sandbox.server import open_sandbox
from tests.sandbox.rig import Link, connect, fault, paused, seed_from_rest

WIRE = "BTCUSDT"


def events_of(link: Link) -> list[dict[str, Any]]:
    frames = [json.loads(frame) for frame in link.raw]
    updates = [frame.get("data", frame) for frame in frames]
    return [one for one in updates if one.get("s") == WIRE]


async def test_events_take_ids_in_uneven_steps_without_a_hole() -> None:
    async with open_sandbox(paused()) as sandbox, connect(sandbox, "binance", "depth") as link:
        await seed_from_rest(sandbox, "binance", link)
        await sandbox.play(15)
        await link.until(lambda: len(events_of(link)) > 100)
        events = events_of(link)

    levels = [len(event["b"]) + len(event["a"]) for event in events]
    taken = [event["u"] - event["U"] + 1 for event in events]
    assert all(after["U"] == before["u"] + 1 for before, after in pairwise(events))
    assert len({ids - count for ids, count in zip(taken, levels, strict=True)}) > 3


async def test_of_some_gaps_one_id_alone_is_missing() -> None:
    async with open_sandbox(paused()) as sandbox, connect(sandbox, "binance", "depth") as link:
        for _ in range(25):
            sandbox.inject(fault(FaultKind.GAP, "binance", instrument=WIRE))
            await sandbox.play(0.6)
        await link.until(lambda: len(events_of(link)) > 50)
        events = events_of(link)

    missing = [after["U"] - before["u"] - 1 for before, after in pairwise(events)]
    assert {ids for ids in missing if ids > 0} >= {1}
    assert len({ids for ids in missing if ids > 1}) > 2


async def test_events_hold_any_number_of_changes_at_uneven_times() -> None:
    async with open_sandbox(paused()) as sandbox, connect(sandbox, "binance", "depth") as link:
        await seed_from_rest(sandbox, "binance", link)
        await sandbox.play(60)
        await link.until(lambda: len(events_of(link)) > 300)
        events, frames = events_of(link), [json.loads(frame) for frame in link.raw]

    updates = [one["data"] for one in frames if "data" in one]
    levels = {len(event["b"]) + len(event["a"]) for event in updates}
    assert {0, 1, 2} <= levels
    assert max(levels) > 5
    assert all(event["u"] >= event["U"] for event in events)
    waits_ms = [after["E"] - before["E"] for before, after in pairwise(events)]
    assert len(set(waits_ms)) > 20
