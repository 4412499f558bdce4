"""One-time codes as acts ask for them: one authenticator for all, each wrong try in the ledger."""

from contextlib import suppress
from typing import Final

from engine.bus.records import LatchAct, LatchRecord
from engine.domain.errors import BadValueError, TransientError
from engine.operate.clock import Clock
from engine.operate.one_time_code import OneTimeCode
from engine.operate.outbox import Outbox

STORED_WITHIN_S: Final = 3.0
"""Shorter than a caller waits, so that the caller gets the reason and not a time-out."""


class Codes:
    """Takes each code once, whatever act it is for; the code itself goes nowhere."""

    def __init__(self, one_time_code: OneTimeCode | None, outbox: Outbox, clock: Clock) -> None:
        self._one_time_code = one_time_code
        self._outbox = outbox
        self._clock = clock
        self._wrong = 0

    @property
    def is_enrolled(self) -> bool:
        """Say whether there is an authenticator."""
        return self._one_time_code is not None

    async def use(self, code: str, *, by: str, what: str = "") -> tuple[str | None, int | None]:
        """Use a code up; returns why it is refused, or the time step to be stored with the act."""
        if self._one_time_code is None:
            return "no authenticator is set up (make enroll), so no code can be right", None
        if not code.isdecimal():
            return "one-time codes are not kept over a restart; send a new one", None
        wrong = self._one_time_code.used.wrong
        refusal = self._one_time_code.refusal(code, at_ns=self._clock())
        used = self._one_time_code.used
        if used.wrong > wrong:
            with suppress(TransientError, BadValueError):  # it stays on its way
                await self._outbox.put_durably(
                    self._wrong_code(by, what), timeout_s=STORED_WITHIN_S
                )
        return refusal, used.steps[0] if refusal is None else None

    def _wrong_code(self, by: str, what: str) -> LatchRecord:
        at_ns = self._clock()
        self._wrong += 1
        return LatchRecord(
            record_id=f"wrong_code-{at_ns}-{self._wrong}",
            at_ns=at_ns,
            act=LatchAct.WRONG_CODE,
            by=by,
            why=what,
        )
