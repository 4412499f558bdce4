"""The records of what the operator has set, each under a number of its own."""

from engine.bus.command import Envelope
from engine.bus.records import Outcome, StateRecord
from engine.operate.clock import Clock
from engine.operate.operator_set import OperatorSet


class StateRecords:
    """Records of one run.

    Attributes:
        count: how many were made, which is the number of the newest.
    """

    def __init__(self, run_id: str, clock: Clock) -> None:
        self._run_id = run_id
        self._clock = clock
        self.count = 0

    def make(
        self,
        state: OperatorSet,
        envelope: Envelope,
        action: str,
        *,
        outcome: Outcome | None = None,
        code_step: int | None = None,
    ) -> StateRecord:
        """Make the record of an act.

        Args:
            state: all that is set from then on.
            envelope: who asked for it.
            action: what was done, for the audit.
            outcome: of the command, stored with it.
            code_step: of the one-time code that it took.
        """
        self.count += 1
        return StateRecord(
            record_id=f"{self._run_id}-s{self.count}",
            at_ns=self._clock(),
            mode=state.mode,
            is_paused=state.is_paused,
            limits=dict(state.limits),
            delayed=state.delayed,
            off=state.off,
            fees=dict(state.fees),
            by=envelope.by,
            action=action,
            outcome=outcome,
            code_step=code_step,
        )
