"""Which settings may change while it runs: those that say in which direction they are tighter."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal, get_args

from msgspec import Meta

from engine.settings.schema import Settings

Direction = Literal["down", "up"]

TIGHTENS: Final = "tightens"
"""In a setting's `extra`: the direction in which its value lets less through."""


def running_settings() -> Iterator[tuple[str, str, Direction]]:
    """Return section, name and direction of each; all others count from the next start on."""
    for section, annotation in Settings.__annotations__.items():
        for name, kind in annotation.__annotations__.items():
            for meta in get_args(kind)[1:]:
                if isinstance(meta, Meta) and TIGHTENS in (meta.extra or {}):
                    yield section, name, (meta.extra or {})[TIGHTENS]


def running_values(settings: Settings) -> dict[str, Decimal]:
    """Return the values of those settings, by name."""
    return {
        name: Decimal(getattr(getattr(settings, section), name))
        for section, name, _ in running_settings()
    }


def changed_at_start(before: Settings, now: Settings) -> tuple[str, ...]:
    """Return the other settings that differ: names alone, as secrets may be among them."""
    running = {(section, name) for section, name, _ in running_settings()}
    return tuple(
        f"{section}.{name}"
        for section, annotation in Settings.__annotations__.items()
        for name in annotation.__annotations__
        if (section, name) not in running
        and getattr(getattr(before, section), name) != getattr(getattr(now, section), name)
    )
