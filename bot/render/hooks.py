"""Rows of a webhook on the screen of its chain: how old, how right, what was left out."""

from collections.abc import Iterator

from bot.render import words
from engine.bus.hooked import HookLine


def hook_rows(line: HookLine) -> Iterator[str]:
    """Return the rows of one webhook."""
    figures = line.figures
    age = "nothing yet" if line.age_s is None else f"{words.age(round(line.age_s * 1_000))} ago"
    yield f"webhook {line.stream} {age}"
    if line.is_doubted:
        yield "  not believed: wrong too often"
    yield (
        f"  {words.count(line.told)} told, {words.count(line.wrong)} wrong,"
        f" {words.count(line.missing)} missing"
    )
    yield f"  {words.count(line.ahead)} ahead of nodes, {words.count(line.triggers)} large swaps"
    if line.lag_ms:
        yield f"  {line.lag_ms['p50']:.0f} ms after the block, p99 {line.lag_ms['p99']:.0f}"
    if line.gap_blocks:
        yield f"  {words.count(line.gap_blocks)} blocks left out"
    if figures is not None:
        yield (
            f"  {words.count(figures.duplicates)} told again, {words.count(figures.forged)} forged"
        )
        unkept = figures.refused + figures.unreadable + figures.old
        if unkept:
            yield (
                f"  {words.count(figures.refused)} refused, {words.count(figures.unreadable)} not"
                f" readable, {words.count(figures.old)} old"
            )
