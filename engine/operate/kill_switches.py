"""Both kill switches of an engine: of all engines, and its own."""

from collections.abc import Callable

from engine.bus.records import EngineState
from engine.operate.clock import Clock
from engine.operate.codes import Codes
from engine.operate.kill_latch import EngineLatches
from engine.operate.kill_switch import KillSwitch
from engine.operate.outbox import Outbox


class KillSwitches:
    """What either latch stops, the other one does not allow."""

    def __init__(
        self,
        latches: EngineLatches,
        outbox: Outbox,
        clock: Clock,
        *,
        engine_id: str,
        state: EngineState,
        codes: Codes,
        on_kill: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine_id = engine_id
        self._of_all, self._own = self._switches = tuple(
            KillSwitch(
                latch, outbox, clock, state=state, codes=codes, engine=engine, on_kill=on_kill
            )
            for latch, engine in ((latches.of_all, ""), (latches.own, engine_id))
        )

    def of(self, engine: str) -> KillSwitch | None:
        """Return the switch of all engines (no name) or this one's; None for another engine's."""
        return {"": self._of_all, self.engine_id: self._own}.get(engine)

    def besides(self, switch: KillSwitch) -> KillSwitch:
        """Return the other one."""
        return self._own if switch is self._of_all else self._of_all

    def watch(self) -> None:
        """See what was done to either file; see `KillSwitch.watch`."""
        for switch in self._switches:
            switch.watch()

    def step_clock(self, step_ns: int) -> None:
        """See `KillSwitch.step_clock`."""
        for switch in self._switches:
            switch.step_clock(step_ns)

    def tightened(self) -> None:
        """See `KillSwitch.tightened`."""
        for switch in self._switches:
            switch.tightened()

    def voids_loosening(self, given_at_ns: int) -> str | None:
        """Return why a pause may not end, or a mode not go up, by what was given then."""
        found = (switch.voids_loosening(given_at_ns) for switch in self._switches)
        return next((why for why in found if why is not None), None)
