"""A loosening that was allowed and waits, so that whoever did not want it can still cancel it."""

from decimal import Decimal

import msgspec

from engine.domain.modes import Mode


class Delayed(msgspec.Struct, frozen=True, kw_only=True):
    """One loosening, to a mode or of a limit.

    Attributes:
        what: in words.
        asked_at_ns: whatever kills or tightens after it cancels it.
        due_at_ns: when it acts.
        limit, value: name of a limit and what it is to be set to.
    """

    what: str
    by: str
    asked_at_ns: int
    due_at_ns: int
    mode: Mode | None = None
    limit: str | None = None
    value: Decimal | None = None
