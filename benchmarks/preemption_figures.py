"""What `benchmarks.preemption` measured, as figures and as a picture."""

import json
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks import harness

FOLDER: Final = Path(__file__).resolve().parents[1]
LATEST: Final = FOLDER / "benchmarks" / "latest-preemption.json"
PICTURE: Final = FOLDER / "docs" / "pictures" / "preemption.svg"
BLUE, ORANGE, GREY = "#1f5fa8", "#d9730d", "#888888"
STOPPED_NS: Final = 2_000_000
"""Work that ran longer after a trigger was not stopped."""

CLASSES_US: Final = np.geomspace(0.5, 20_000, 94)

TAKEN_NS: Final = 1_000_000
"""A caller that had its core for so much less than its call took was away from it."""

SHARES: Final = np.geomspace(1e-4, 1, 200)

Numbers = np.ndarray[Any, Any]


def rows_of(found: dict[str, Numbers]) -> list[harness.Row]:
    """Return the figures."""
    last, called = found["last"], found["called"]
    is_good = (last >= 0) & (last < STOPPED_NS)
    away = _away(found["away"])
    ratio = np.percentile(found["heard_held"], 99) / np.percentile(found["heard_alone"], 99)
    full = np.percentile(found["heard_full"], 99) / np.percentile(found["heard_alone"], 99)
    rows = [
        harness.scalar("preemption.triggers", "count", len(last)),
        *_figures("preemption.last_instruction", last[last >= 0]),
        *_figures("preemption.call", called),
        harness.scalar("preemption.success", "%", 100 * float(is_good.mean())),
        harness.scalar("preemption.not_stopped_in_2_ms", "count", int((~is_good).sum())),
        *_why_late(found, ~is_good),
        harness.scalar("preemption.failures", "count", int(found["failures"].sum())),
        harness.scalar("preemption.ran_between", "ratio", float(found["woken"].mean())),
        harness.row("frame.to_handler.held", found["heard_held"]),
        harness.row("frame.to_handler.full_load", found["heard_full"]),
        harness.row("frame.to_handler.alone", found["heard_alone"]),
        harness.scalar("frame.to_handler.p99_held_over_alone", "ratio", float(ratio)),
        harness.scalar("frame.to_handler.p99_full_over_alone", "ratio", float(full)),
        harness.scalar("machine.away_per_s", "1/s", len(away) / _ran_s(found["away"])),
        harness.scalar("machine.away_share", "ratio", away.sum() / 1e9 / _ran_s(found["away"])),
    ]
    for name, times in found.items():
        if name.startswith("paced."):
            alone = found[f"{name.rpartition('.')[0]}.alone"]
            over = np.percentile(times, 99) / np.percentile(alone, 99)
            rows.append(harness.row(f"{name}.socket_to_decision", times))
            rows.append(harness.scalar(f"{name}.p99_over_alone", "ratio", float(over)))
    if len(away):
        rows += _figures("machine.away", away)
    return rows


def _why_late(found: dict[str, Numbers], is_late: Numbers) -> list[harness.Row]:
    """Return how many were late as the caller lost its core in the call, to whom, and others.

    The host takes a core without the guest switching; the caller's processor time lacks it. What is
    left of a call on the way to the last process runs on meanwhile: no program can do anything.
    """
    is_away = found["called"] - found["ran"] > TAKEN_NS
    by_host, by_guest = is_away & ~found["switched"], is_away & found["switched"]
    # Of as many calls as long as most are, the machine by itself is away so often in so many.
    away, ran_s = _away(found["away"]), _ran_s(found["away"])
    called_s = float(np.median(found["called"])) / 1e9 * len(is_late)
    expected = float((away > STOPPED_NS).sum()) / ran_s * called_s
    is_free = ~by_host
    return [
        harness.scalar(
            "preemption.late.host_took_the_core", "count", int((is_late & by_host).sum())
        ),
        harness.scalar("preemption.late.guest_switched", "count", int((is_late & by_guest).sum())),
        harness.scalar("preemption.late.otherwise", "count", int((is_late & ~is_away).sum())),
        harness.scalar("preemption.late.machine_alone_expected", "count", expected),
        harness.scalar(
            "preemption.success_where_the_host_let", "%", 100 * float((~is_late)[is_free].mean())
        ),
    ]


def write(found: dict[str, Numbers]) -> None:
    """Print the figures, store them with the histogram, and draw it."""
    rows = rows_of(found)
    print(f"machine: {harness.machine()}")
    harness.print_table(rows)
    harness.write_json(rows, LATEST)
    objects = json.loads(LATEST.read_text())
    counts = np.histogram(found["last"] / 1_000, CLASSES_US)[0]
    objects.append(
        {
            "name": "preemption.last_instruction.histogram",
            "unit": "us",
            "edges": [round(float(edge), 3) for edge in CLASSES_US],
            "counts": counts.tolist(),
            "below_first": int((found["last"] / 1_000 < CLASSES_US[0]).sum()),
            "above_last": int((found["last"] / 1_000 >= CLASSES_US[-1]).sum()),
        }
    )
    LATEST.write_text(json.dumps(objects, indent=1) + "\n")
    draw(found)


def draw(found: dict[str, Numbers]) -> None:
    """Draw how long background work ran on after a trigger, and how late frames were heard."""
    figure = Figure(figsize=(8.0, 3.2))
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.grid(visible=True, color="#e6e6e6")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(xscale="log", yscale="log", xlabel="us")
    last = found["last"]
    left.hist(last[last >= 0] / 1_000 + 1e-3, CLASSES_US, color=BLUE, label="last instruction")
    left.hist(
        *(found["called"] / 1_000, CLASSES_US), histtype="step", color=ORANGE, label="the call"
    )
    left.hist(
        *(_away(found["away"]) / 1_000, CLASSES_US),
        histtype="step",
        color=GREY,
        label="machine away",
    )
    left.set_title(f"after {len(last):,} triggers", fontsize=9)
    for name, said, color in (
        ("heard_alone", "nothing beside it", GREY),
        ("heard_full", "full load, not held", ORANGE),
        ("heard_held", "full load, held at each", BLUE),
    ):
        values = np.quantile(found[name] / 1_000, 1 - SHARES)
        right.plot(values, SHARES, color=color, label=said)
    right.set_title("share of frames heard later", fontsize=9)
    for axes in (left, right):
        axes.legend(frameon=False, fontsize=7)
    figure.tight_layout()
    mpl.rcParams["svg.hashsalt"] = "syndicate"
    figure.savefig(PICTURE, metadata={"Date": None})


def _figures(name: str, durations_ns: Numbers) -> list[harness.Row]:
    return [
        harness.row(name, durations_ns),
        harness.scalar(f"{name}.mean", "us", float(durations_ns.mean()) / 1_000),
        harness.scalar(f"{name}.max", "us", float(durations_ns.max()) / 1_000),
    ]


def _pieces(away: Numbers) -> list[int]:
    """Return where each piece begins: how long it ran, and 0, which no time away is."""
    return [int(at) - 1 for at in np.flatnonzero(away == 0)]


def _ran_s(away: Numbers) -> float:
    return float(sum(away[at] for at in _pieces(away))) / 1e9


def _away(away: Numbers) -> Numbers:
    begins = _pieces(away)
    return np.delete(away, [*begins, *(at + 1 for at in begins)])
