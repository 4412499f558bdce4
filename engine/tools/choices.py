"""What `make replay`, `make restore` and `make trace` can be asked for: lists to copy from."""

import os
import shlex
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.domain.errors import TransientError
from engine.domain.units import NS_PER_S
from engine.facade.engine import Facade
from engine.operate.recording import SUFFIX, number_of
from engine.requests.money import GetTrades
from engine.requests.overview import GetOpportunities
from engine.storage.backup import list_backups
from engine.wiring.paths import Paths

SHOWN_MAX: Final = 10
"""Newest so many of a list; the others are counted."""

BYTES_PER_MB: Final = 1_000_000


def recordings_to_replay(paths: Paths) -> str:
    """List the recorded runs, those of demos too, newest first."""
    runs = []
    homes = [*map(paths.of, paths.engine_ids()), Paths(paths.data_dir / "demo")]
    for run in [run for home in homes for run in home.recordings.glob("*/")]:
        files = [segment.stat() for segment in run.glob(f"*{SUFFIX}")]
        if files:
            ended_s = max(file.st_mtime for file in files)
            begins_at = min(number_of(segment) for segment in run.glob(f"*{SUFFIX}"))
            begins = "" if begins_at == 1 else f" FROM={begins_at}"
            size = _size(sum(file.st_size for file in files))
            line = f"make replay FILE={_shown(run)}{begins}  {size}  ended {_time(ended_s)}"
            runs.append((ended_s, line))
    return _listed(
        [line for _, line in sorted(runs, reverse=True)],
        title="Recorded runs, newest first; a replay says whether the run decides the same again:",
        empty=f"No run is recorded in {paths.recordings} yet: make run records one.",
    )


def backups_to_restore(paths: Paths) -> str:
    """List the backups of the ledger, newest first."""
    folder = paths.data_dir / "backups"
    lines = []
    for backup in reversed(list_backups(folder)):
        stat = backup.stat()
        size = _size(stat.st_size)
        lines.append(f"make restore FILE={_shown(backup)}  {size}  {_time(stat.st_mtime)}")
    return _listed(
        lines,
        title="Nothing was restored. Backups, newest first; stop the program before restoring one:",
        empty=f"There is no backup in {folder} yet: a running ledger takes one each 15 minutes.",
    )


async def decisions_to_trace(facade: Facade) -> str:
    """List what was traded and found, newest first.

    Raises:
        TransientError: neither engine nor ledger answers.
    """
    found: dict[str, tuple[int, str]] = {}
    missing: list[TransientError] = []
    try:
        opportunities = await facade.ask(GetOpportunities(limit=SHOWN_MAX, is_newest_first=True))
        for line in opportunities.opportunities:
            what = f"{line.pair} {line.buy_venue} to {line.sell_venue}, {line.outcome}"
            found[line.opportunity_id] = (line.seen_at_ns, what)
    except TransientError as error:
        missing.append(error)
    try:
        trades = await facade.ask(GetTrades(limit=SHOWN_MAX))
        for trade in trades.trades:
            what = f"{trade.pair} {trade.buy_venue} to {trade.sell_venue}, traded"
            found[trade.opportunity_id] = (trade.closed_at_ns, what)
    except TransientError as error:
        missing.append(error)
    if missing and not found:
        raise missing[0]
    newest = sorted(((at_ns, ref, what) for ref, (at_ns, what) in found.items()), reverse=True)
    return _listed(
        [f"make trace ID={ref}  {_time(at_ns / NS_PER_S)}  {what}" for at_ns, ref, what in newest],
        title="Decisions, newest first; a trace shows the frames behind one:",
        empty="Nothing was found yet.",
        notes=[str(error) for error in missing],
    )


def _listed(lines: list[str], *, title: str, empty: str, notes: Iterable[str] = ()) -> str:
    left_out = len(lines) - SHOWN_MAX
    shown = [title, *(f"  {line}" for line in lines[:SHOWN_MAX])] if lines else [empty]
    if left_out > 0:
        shown.append(f"  ... and {left_out} older")
    return "\n".join([*shown, *notes])


def _shown(path: Path) -> str:
    """Return a path as a person would type it here."""
    here = Path.cwd()
    return shlex.quote(os.fspath(path.relative_to(here) if path.is_relative_to(here) else path))


def _size(size: int) -> str:
    return f"{max(size / BYTES_PER_MB, 0.1):.1f} MB"


def _time(at_s: float) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
