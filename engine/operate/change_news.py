"""The news of one change of what the operator has set: what was so before, and what is so now."""

from collections.abc import Sequence

from engine.bus.notices import (
    FeeChanged,
    LimitChanged,
    LooseningCancelled,
    ModeChanged,
    PlaceSwitched,
)
from engine.domain.delays import Delayed
from engine.operate.clock import Clock
from engine.operate.core_parts import Core
from engine.operate.kill_latch import EngineLatches
from engine.operate.operator_set import OperatorSet


class ChangeNews:
    """News of a change; made before it acts, told once its record is on its way."""

    def __init__(
        self, core: Core, latches: EngineLatches, clock: Clock, before: OperatorSet
    ) -> None:
        self._core = core
        self._latches = latches
        self._clock = clock
        self._before = before
        self._limits = core.decider.limits.in_force()
        self._fees = dict(core.fees.in_force)
        self._tell = core.journal.notices.tell

    def tell(
        self, wanted: OperatorSet, *, by: str, at_ns: int, cancelled_by: str, has_mode: bool
    ) -> None:
        """Tell what became of the change.

        Args:
            wanted: what is set now.
            by: who asked for it.
            at_ns: when it was asked for.
            cancelled_by: what cancelled all that waited; empty if nothing did.
            has_mode: mode or pause were part of it.
        """
        if cancelled_by:
            self._tell_cancelled(wanted.delayed, why=cancelled_by)
        self._tell_limits(by, at_ns)
        self._tell_places(wanted, by, at_ns)
        self._tell_fees(by, at_ns)
        if has_mode:
            self._tell_mode(wanted, by, at_ns)

    def _tell_mode(self, wanted: OperatorSet, by: str, at_ns: int) -> None:
        self._tell(
            ModeChanged(
                at_ns=at_ns,
                basis=self._core.basis,
                mode=wanted.mode,
                is_paused=wanted.is_paused,
                is_killed=self._latches.is_killed(),
                by=by,
            )
        )

    def _tell_cancelled(self, after: Sequence[Delayed], *, why: str) -> None:
        at_ns = self._clock()
        for one in self._before.delayed:
            if one not in after:
                self._tell(
                    LooseningCancelled(at_ns=at_ns, basis=self._core.basis, what=one.what, why=why)
                )

    def _tell_limits(self, by: str, at_ns: int) -> None:
        limits = self._core.decider.limits
        for term in limits.terms:
            if limits[term] != self._limits[term.name]:
                self._tell(
                    LimitChanged(
                        at_ns=at_ns,
                        basis=self._core.basis,
                        name=term.name,
                        unit=term.unit,
                        before=self._limits[term.name],
                        after=limits[term],
                        by=by,
                    )
                )

    def _tell_places(self, wanted: OperatorSet, by: str, at_ns: int) -> None:
        was = self._before.off_keys
        for kind, name in sorted(was ^ wanted.off_keys):
            self._tell(
                PlaceSwitched(
                    at_ns=at_ns,
                    basis=self._core.basis,
                    kind=kind,
                    name=name,
                    is_on=(kind, name) in was,
                    by=by,
                )
            )

    def _tell_fees(self, by: str, at_ns: int) -> None:
        for venue, bps in self._core.fees.in_force.items():
            if bps != self._fees[venue]:
                self._tell(
                    FeeChanged(
                        at_ns=at_ns,
                        basis=self._core.basis,
                        venue=venue,
                        before=self._fees[venue],
                        after=bps,
                        by=by,
                    )
                )
