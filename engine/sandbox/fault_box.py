"""Armed faults: hands each to the frame, snapshot or request that it hits, and counts it."""

from collections import Counter, deque
from dataclasses import dataclass

from engine.sandbox.fault_script import (
    EVERY,
    FRAME_FAULTS,
    REST_FAULTS,
    FaultKind,
    ScriptedFault,
)

EFFECTS_KEPT_MAX = 10_000


@dataclass(slots=True)
class _Armed:
    fault: ScriptedFault
    left: int


class FaultBox:
    """Faults that wait for their victim.

    Attributes:
        counts: faults that had an effect, by venue and kind.
        effects: the last effects in order, as (replay time, venue, instrument, kind).
    """

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._stalls: list[tuple[int, ScriptedFault]] = []
        self.counts: Counter[tuple[str, FaultKind]] = Counter()
        self.effects: deque[tuple[int, str, str, FaultKind]] = deque(maxlen=EFFECTS_KEPT_MAX)

    def arm(self, fault: ScriptedFault) -> None:
        """Let a fault wait for what it hits."""
        hits = 1 if fault.fault is FaultKind.GAP else fault.count
        self._armed.append(_Armed(fault, hits))

    def take_frame(self, venue: str, wire_name: str, at_ns: int) -> list[ScriptedFault]:
        """Return the faults of a book frame that is about to leave."""
        return self._take(FRAME_FAULTS, venue, wire_name, at_ns)

    def take_snapshot(self, venue: str, wire_name: str, at_ns: int) -> ScriptedFault | None:
        """Return the fault of a snapshot that is about to be made."""
        taken = self._take(frozenset({FaultKind.WRONG_SNAPSHOT}), venue, wire_name, at_ns, limit=1)
        return taken[0] if taken else None

    def take_request(self, venue: str, at_ns: int) -> ScriptedFault | None:
        """Return the fault of a REST request."""
        taken = self._take(REST_FAULTS, venue, EVERY, at_ns, limit=1)
        return taken[0] if taken else None

    def stall(self, fault: ScriptedFault, at_ns: int) -> int:
        """Begin a stall; return the replay time at which it ends."""
        until_ns = at_ns + int(fault.duration_s * 1e9)
        self._stalls.append((until_ns, fault))
        self.record(fault.venue, fault.instrument, FaultKind.STALL, at_ns)
        return until_ns

    def stalled(self, venue: str, wire_name: str, at_ns: int) -> ScriptedFault | None:
        """Return the stall that holds an instrument back, if there is one."""
        if not self._stalls:
            return None
        self._stalls = [(until, fault) for until, fault in self._stalls if until > at_ns]
        for _, fault in self._stalls:
            if fault.venue == venue and fault.instrument in (EVERY, wire_name):
                return fault
        return None

    def record(self, venue: str, wire_name: str, kind: FaultKind, at_ns: int) -> None:
        """Count a fault that had its effect."""
        self.counts[venue, kind] += 1
        self.effects.append((at_ns, venue, wire_name, kind))

    def report(self) -> dict[str, object]:
        """Return counts by kind and by venue, and the faults that still wait."""
        by_kind: Counter[str] = Counter()
        by_venue: dict[str, dict[str, int]] = {}
        for (venue, kind), count in sorted(self.counts.items()):
            by_kind[kind.value] += count
            by_venue.setdefault(venue, {})[kind.value] = count
        return {"kinds": dict(by_kind), "venues": by_venue, "waiting": len(self._armed)}

    def _take(
        self,
        kinds: frozenset[FaultKind],
        venue: str,
        wire_name: str,
        at_ns: int,
        *,
        limit: int | None = None,
    ) -> list[ScriptedFault]:
        if not self._armed:
            return []
        taken: list[ScriptedFault] = []
        for armed in self._armed:
            fault = armed.fault
            is_hit = (
                fault.fault in kinds
                and fault.venue == venue
                and (fault.instrument == wire_name or EVERY in (fault.instrument, wire_name))
            )
            if is_hit and (limit is None or len(taken) < limit):
                armed.left -= 1
                taken.append(fault)
                self.record(venue, wire_name, fault.fault, at_ns)
        self._armed = [armed for armed in self._armed if armed.left > 0]
        return taken
