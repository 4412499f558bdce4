"""Tells the ledger of each end of a role, however long it is away: it watches health, and stores.

The role that ended may be the ledger itself, and a loaded machine takes long to start it again. So
nothing is given up; and the watch hears of an end without the database, which may be why.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Final

from engine.bus.health_reports import RoleEnd
from engine.bus.notices import RoleRestarted
from engine.bus.records import Append, NoticeRecord
from engine.bus.request import Caller
from engine.domain.backoff import wait_after
from engine.domain.errors import BadValueError, SyndicateError
from engine.domain.modes import Basis
from engine.requests.health import TellEnds

log = logging.getLogger(__name__)

TOLD_EACH: Final = 5
TOLD_EVERY: Final = 20
"""The first restarts of a role are told to a person one by one, later ones each twentieth."""

ENDS_MAX: Final = 100
"""Ends of one role that wait for the ledger; of more, the oldest are forgotten."""

NOTICES_MAX: Final = 500
WAIT_S_FIRST: Final = 0.2
WAIT_S_LONGEST: Final = 2.0


class RoleEnds:
    """The ends of one supervisor's roles, on their way to the ledger.

    Args:
        roles: that the ledger watches: none of them for the supervisor of a further engine.
    """

    def __init__(
        self, ledger: Caller, *, basis: Basis, clock: Callable[[], int], roles: Iterable[str]
    ) -> None:
        self._ledger = ledger
        self._basis = basis
        self._clock = clock
        self._numbers = count(1)
        self._ends: dict[str, deque[RoleEnd]] = {role: deque(maxlen=ENDS_MAX) for role in roles}
        self._notices: deque[NoticeRecord] = deque(maxlen=NOTICES_MAX)
        self._news = asyncio.Event()

    def ended(self, role: str, why: str, restarts: int = 0) -> None:
        """Take in that a role ended without being asked to; `restarts` is 0 if for good."""
        at_ns = self._clock()
        if role in self._ends:
            number = next(self._numbers)
            end = RoleEnd(number=number, at_ns=at_ns, role=role, why=why, restarts=restarts)
            self._ends[role].append(end)
        if restarts and (restarts <= TOLD_EACH or restarts % TOLD_EVERY == 0):
            notice = RoleRestarted(
                at_ns=at_ns, basis=self._basis, role=role, why=why, restarts=restarts
            )
            record = NoticeRecord(record_id=f"restart-{role}-{at_ns}", notice=notice)
            self._notices.append(record)
        self._news.set()

    async def run(self) -> None:
        """Tell them, for ever."""
        failures = 0
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._tell()
            except SyndicateError as error:
                failures += 1
                if failures == 1:
                    log.info("the end of a role is told once the ledger answers: %s", error)
                self._news.set()
                wait_s = wait_after(failures, first=WAIT_S_FIRST, longest=WAIT_S_LONGEST)
                await asyncio.sleep(wait_s)
            else:
                failures = 0

    async def _tell(self) -> None:
        if ends := sorted((end for own in self._ends.values() for end in own), key=_number):
            heard = await self._ledger.call(TellEnds(ends=ends))
            for own in self._ends.values():
                while own and own[0].number <= heard.number:
                    own.popleft()
        while self._notices:
            record = self._notices[0]
            try:
                await self._ledger.call(Append(records=[record]))
            except BadValueError:
                log.exception("the restart of a role could not be told")
            if self._notices[0] is record:  # or it was pushed out meanwhile
                self._notices.popleft()


def _number(end: RoleEnd) -> int:
    return end.number
