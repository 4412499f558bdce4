"""What the engine says of settings that may change while it runs."""

from decimal import Decimal

import msgspec

from engine.bus.report import Report


class RunningSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that may change while it runs.

    Attributes:
        value: in force.
        by_settings: what file or environment say; another value is in force where a person
            tightened it.
        since_ns: when the settings said so first; 0 for the start of this run.
    """

    section: str
    name: str
    unit: str
    value: Decimal
    by_settings: Decimal
    since_ns: int


class SettingsReport(Report, frozen=True, kw_only=True):
    """Settings that may change while it runs.

    Attributes:
        waits: changes of the files that wait for a person's word, as they would be told.
        at_next_start: settings that the files say otherwise, and that count from then on.
        trouble: why the files are not gone by; empty where they are.
        read_at_ns: when they were last read, 0 for at the start.
    """

    settings: list[RunningSetting]
    waits: list[str]
    at_next_start: list[str]
    trouble: str
    read_at_ns: int
