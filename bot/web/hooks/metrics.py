"""Metrics of webhooks, by chain and stream: made of the report on chains, as all of theirs are."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from engine.bus.chain_reports import ChainLine
from engine.bus.hooked import HookFigures, HookLine

MS_IN_S: Final = 1e3
Samples = list[tuple[tuple[str, ...], float]]

_JUDGED: Final[tuple[tuple[str, str, Callable[[HookLine], float | None], bool], ...]] = (
    ("webhook_events", "Events told of followed pools.", lambda it: it.told, True),
    ("webhook_events_right", "Events as their block has them.", lambda it: it.right, True),
    ("webhook_events_ahead", "Of those, told before a node did.", lambda it: it.ahead, True),
    ("webhook_events_wrong", "Events that their block has not.", lambda it: it.wrong, True),
    ("webhook_events_missing", "Events not told in time.", lambda it: it.missing, True),
    ("webhook_events_late", "Missing events told after all.", lambda it: it.late, True),
    ("webhook_triggers", "Swaps that had work make way.", lambda it: it.triggers, True),
    ("webhook_gap_blocks", "Blocks left out by their own count.", lambda it: it.gap_blocks, False),
    ("webhook_doubted", "1 while nothing follows of it.", lambda it: it.is_doubted, False),
    ("webhook_age_seconds", "Since its newest event.", lambda it: it.age_s, False),
    (
        "webhook_lag_p99_seconds",
        "From the time of a block until an event of it came.",
        lambda it: it.lag_ms["p99"] / MS_IN_S if it.lag_ms else None,
        False,
    ),
)

_COUNTED: Final[tuple[tuple[str, str, Callable[[HookFigures], float | None]], ...]] = (
    ("webhook_bodies", "Signed bodies, all on disk.", lambda it: it.taken),
    ("webhook_bodies_forged", "Bodies that no secret signed.", lambda it: it.forged),
    ("webhook_bodies_unreadable", "Signed bodies that are none.", lambda it: it.unreadable),
    ("webhook_bodies_refused", "Bodies that were not kept (503).", lambda it: it.refused),
    ("webhook_bodies_old", "Signed bodies of long ago.", lambda it: it.old),
    ("webhook_duplicates", "Events told again.", lambda it: it.duplicates),
)


def hook_samples(chains: Iterable[ChainLine]) -> Iterator[tuple[str, str, Samples, bool]]:
    """Return each metric: name, help, samples by chain and stream, whether it is a count."""
    lines = [((chain.chain, line.stream), line) for chain in chains for line in chain.hooks]
    if not lines:
        return
    for name, help_text, read, is_count in _JUDGED:
        yield name, help_text, _samples((key, read(line)) for key, line in lines), is_count
    counted = [(key, line.figures) for key, line in lines if line.figures is not None]
    for name, help_text, read_figures in _COUNTED:
        samples = _samples((key, read_figures(figures)) for key, figures in counted)
        yield name, help_text, samples, True


def _samples(found: Iterable[tuple[tuple[str, ...], Any]]) -> Samples:
    return [(key, float(value)) for key, value in found if value is not None]
