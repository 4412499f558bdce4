"""Takes advice of background work for an engine: checked, at a bounded pace, as an input."""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from engine.bus.advice_reports import AdviceTaken
from engine.bus.notices import LimitProposed, Notice
from engine.core.inputs.advised import ADVISED, Advised
from engine.domain.advice import DatedAdvice, ThresholdProposal, check_advice
from engine.domain.errors import BadValueError, TransientError
from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock
from engine.operate.core_parts import Core

PACE_NS: Final = NS_PER_S // 2
"""No more sets are taken than one in this time."""

BYTES_MAX: Final = 1 << 16
"""Of a set as an input: to take it holds a frame up by a millisecond at most."""


VALUE_DIGITS: Final = 4
"""To so many decimals limits are proposed."""


class AdviceDesk:
    """What is advised to an engine.

    Attributes:
        counts: sets by what became of them: ``taken``, ``same``, ``refused``, ``too often``.
    """

    def __init__(self, core: Core, clock: Clock, tell: Callable[[Notice], None]) -> None:
        self._tell = tell
        self._proposed: dict[str, Decimal] = {}
        self.counts: Counter[str] = Counter()
        self._core = core
        self._clock = clock
        self._taken_at_ns = 0

    def take(self, advice: Sequence[DatedAdvice]) -> AdviceTaken:
        """Go by a set in place of the one before.

        Raises:
            TransientError: the one before was taken just now.
            BadValueError: nobody can go by such a set; the one before holds on.
        """
        at_ns = self._clock()
        if 0 <= at_ns - self._taken_at_ns < PACE_NS:
            self.counts["too often"] += 1
            raise TransientError("advice was taken less than a second ago")
        self._taken_at_ns = at_ns
        advised = Advised(advice=tuple(one for one in advice if one.until_ns > at_ns))
        try:
            check_advice(advised.advice, at_ns=at_ns)
            _check_size(advised)
        except BadValueError:
            self.counts["refused"] += 1
            raise
        changed = dict(self._core.advice.changed)
        is_changed = advised.advice != self._core.advice.all
        self.counts["taken" if is_changed else "same"] += 1
        if is_changed:
            self._core.hot_path.command(advised, at_ns)
        refused = [why for one in advised.advice if (why := self._propose(one, at_ns))]
        return AdviceTaken(
            in_force=len(self._core.advice.all),
            is_changed=is_changed,
            refused=refused,
            changed=changed,
            run_id=self._core.header.run_id,
            input_seq=self._core.hot_path.seq if is_changed else 0,
        )

    def _propose(self, dated: DatedAdvice, at_ns: int) -> str:
        """Tell of a limit that is proposed, once; return why that cannot be set at all."""
        proposal, limits = dated.advice, self._core.decider.limits
        if not isinstance(proposal, ThresholdProposal):
            return ""
        value = Decimal(str(round(proposal.value, VALUE_DIGITS))).normalize()
        try:
            limits.with_one(proposal.term, value)
        except BadValueError as error:
            return str(error)
        term = limits.find(proposal.term)
        if value == limits[term] or self._proposed.get(term.name) == value:
            return ""
        self._proposed[term.name] = value
        self._tell(
            LimitProposed(
                at_ns=at_ns,
                basis=self._core.basis,
                name=term.name,
                unit=term.unit,
                now=limits[term],
                proposed=value,
                why=proposal.why,
            )
        )
        return ""


def _check_size(advised: Advised) -> None:
    size = len(ADVISED.encode(advised))
    if size > BYTES_MAX:
        raise BadValueError(f"advice of {size} bytes; at most {BYTES_MAX} are taken")
