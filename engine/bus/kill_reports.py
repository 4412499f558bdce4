"""Reports about a kill: what it left, and how long a drill took."""

from decimal import Decimal

from engine.bus.open_outside import ON_PAPER, OpenOutside
from engine.bus.reports import Report
from engine.domain.assets import Amount
from engine.domain.modes import Basis, Mode


class AftermathReport(Report, frozen=True, kw_only=True):
    """What is so while killed, and what changed since.

    Attributes:
        why: who set the latch and why, as its file says.
        since_ns: when it was seen to be set, or the engine began with it set.
        plans: under way still.
        left_over: by asset, with what it is worth now and was worth then.
        refused: opportunities that were refused since because of the latch.
        outside: open at venues and on chains.
    """

    basis: Basis
    is_killed: bool
    why: str
    since_ns: int
    plans: int
    left_over: tuple[Amount, ...]
    usd: Decimal
    usd_before: Decimal
    refused: int
    mode: Mode
    is_paused: bool
    outside: OpenOutside = ON_PAPER


class DrillReport(Report, frozen=True, kw_only=True):
    """A kill that was a drill: how long each step took, from the engine's receipt of it on.

    Attributes:
        memory_us: until the engine held every plan.
        file_us: until its latch was on disk.
        refused_us: until whoever reads the file anew refused.
        stored_us: until the ledger had it.
        is_clear: the latch is clear again; if not, somebody killed meanwhile.
    """

    memory_us: int
    file_us: int
    refused_us: int
    stored_us: int
    is_clear: bool
