"""A figure of ours beside a peer's: both distributions, the ratio, how far the results agree."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness

NOT_HERE = "not available here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One task; times in us, `ratio` is the peer's median over ours.

    `agreement` is in words: what was compared, and the largest difference found.
    """

    task: str
    ours_median: float
    ours_p99: float
    peer: str
    peer_median: float | None = None
    peer_p99: float | None = None
    ratio: float | None = None
    agreement: str = NOT_HERE


def compare(
    task: str,
    ours_ns: Sequence[int] | np.ndarray[Any, Any],
    peer: str,
    peer_ns: Sequence[int] | np.ndarray[Any, Any] | None,
    *,
    agreement: str,
) -> Comparison:
    """Summarise both; a peer without durations is one that is not here."""
    ours = np.percentile(ours_ns, [50, 99]) / 1_000
    row = Comparison(
        task=task,
        ours_median=round(float(ours[0]), 3),
        ours_p99=round(float(ours[1]), 3),
        peer=peer,
    )
    if peer_ns is None:
        return row
    its = np.percentile(peer_ns, [50, 99]) / 1_000
    return replace(
        row,
        peer_median=round(float(its[0]), 3),
        peer_p99=round(float(its[1]), 3),
        ratio=round(float(its[0] / ours[0]), 2),
        agreement=agreement,
    )


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """Return a table of rows as `write` stored them."""
    lines = [
        "| task | ours: median us | p99 | peer | its median us | p99 | ratio | results |",
        "|---|---:|---:|---|---:|---:|---:|---|",
    ]
    for row in rows:
        peer = [f"{row[key]:,.1f}" if key in row else "-" for key in ("peer_median", "peer_p99")]
        ratio = f"{row['ratio']:,.1f}" if "ratio" in row else "-"
        lines.append(
            f"| {row['task']} | {row['ours_median']:,.2f} | {row['ours_p99']:,.2f} | {row['peer']} "
            f"| {peer[0]} | {peer[1]} | {ratio} | {row['agreement']} |"
        )
    return "\n".join(lines) + "\n"


def write(rows: Sequence[Comparison], path: Path) -> None:
    """Write comparisons as a JSON list of objects, the machine named in each."""
    named = harness.machine()
    objects = [
        {key: value for key, value in asdict(one).items() if value is not None} | {"machine": named}
        for one in rows
    ]
    path.write_text(json.dumps(objects, indent=1) + "\n")
