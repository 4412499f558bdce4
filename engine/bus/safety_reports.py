"""Reports of kills and of all acts."""

import msgspec

from engine.bus.report import Report


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One act in the chain."""

    position: int
    at_ns: int
    engine_id: str
    by: str
    action: str
    hash: str


class AuditReport(Report, frozen=True, kw_only=True):
    """The audit.

    Attributes:
        lines: the newest acts, newest first.
        links: how many there are in all.
        newest: hash of the newest.
        broken: what is wrong with the chain, empty if it is whole.
        gaps: what was missed when a ledger was opened.
    """

    lines: list[AuditLine]
    links: int
    newest: str
    broken: str
    gaps: list[str]


class KillPath(msgspec.Struct, frozen=True, kw_only=True):
    """What one of the ways to stop the engine came to."""

    is_done: bool
    text: str


class KillReport(Report, frozen=True, kw_only=True):
    """What is true after a kill, for each role.

    Attributes:
        engine: it holds every plan, by its own memory.
        latch_file: it is set: every engine reads it before every plan, over restarts.
        ledger: it stored the kill: an engine that starts holds, even where the file is not set.
        of: the only engine that was killed; empty for all.
    """

    engine: KillPath
    latch_file: KillPath
    ledger: KillPath
    of: str = ""
