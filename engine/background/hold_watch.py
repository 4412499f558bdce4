"""Watches that nobody holds background work for too long, and reads what holds there were.

The role `workers` runs it; it is not in the group that is stopped. A hold whose holder is dead, is
stuck, or says what cannot be, is ended here.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec.structs import replace

from engine.background.group import Group, ran_ns
from engine.background.hold_page import HEAD, HOLD_NS_MAX, RING, WORD, Page, Slot
from engine.background.switches import Ended, Switch, Switches, Trigger
from engine.domain.errors import BadValueError

log = logging.getLogger(__name__)

LOOK_S: Final = 0.01
"""It looks so often: so late work may go on."""

STUCK_LOOKS: Final = 5
"""At each fifth look it is seen whether work is stopped that nobody holds."""

GRACE_NS: Final = 250_000_000
"""A holder may be so late."""

TOGETHER_NS_MAX: Final = 3_000_000_000
"""All holders together hold for so long at most; then work has the time of `REST_NS`."""

REST_NS: Final = 1_000_000_000
STOP_WITHIN_NS: Final = 20_000_000
"""A process that runs so long after it was to be stopped cannot be stopped."""

TRIES: Final = 3
"""Looks within a hold for such a process: it is seen, told to stop again, ended."""

RAN_NS: Final = 1_000_000
"""A process that ran for less between two looks was about to stop."""

UNSTOPPED_KEPT: Final = 20
WITHIN_KERNEL: Final = "D"
"""State of a process that waits for a disk or the like, which no signal reaches."""


class Unstopped(msgspec.Struct, frozen=True, kw_only=True):
    """A process that ran on while all background work was to be stopped.

    Attributes:
        state: as the kernel names it: R is running, D is within the kernel.
    """

    process: int
    state: str
    at_ns: int


class HoldWatch:
    """Looks at a page; not for threads.

    Attributes:
        switches: what holds there were.
        unstopped: processes that could not be stopped, the newest last.
        held_ns: how long it was held in all, summed over holders.
        stuck: how often all was stopped though nobody held it.
        group: that does the work; None if there is none.
    """

    def __init__(
        self,
        page: Page,
        *,
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.switches = Switches()
        self.unstopped: deque[Unstopped] = deque(maxlen=UNSTOPPED_KEPT)
        self.held_ns = self.stuck = 0
        self.group: Group | None = None
        self._page = page
        self._now_ns = now_ns
        self._read = {slot.index: slot.written() for slot in page.slots()}
        self._held_since_ns = 0
        self._tries: dict[int, int] = {}
        self._ran_ns: dict[int, int] = {}
        self._was_stopped = False
        self._looks = self._resumed_at_ns = 0
        self._let_go: list[int] = []

    def follow(self, group: Group | None) -> None:
        """Have this group do the work from now on, and tell holders; None if there is none."""
        before, self.group = self.group, group
        if before is not None:
            before.close()
        if group is None:
            self._page.withdraw()
        else:
            self._page.announce(group.leader, group.started)

    def look(self) -> None:
        """Look once: let work go on that nobody holds, and end what is to be ended."""
        now_ns = self._now_ns()
        begun = [slot[WORD.NUMBER] for slot in self._page.slots()]
        holding = [slot for slot in self._page.slots() if slot.is_holding]
        is_together = self._is_too_long(now_ns, bool(holding))
        ended = 0
        for slot in holding:
            why = self._why_to_end(slot)
            if why is None and is_together:
                why = Ended.OVERDUE
            if why is not None:
                self._end(slot, begun[slot.index], why, now_ns)
                ended += 1
        if len(holding) > ended:
            self._look_for_unstopped(holding, now_ns)
        elif ended or begun != self._let_go or self._is_stuck():
            self._let_go = begun
            self._resume()
        for slot in self._page.slots():
            self._drain(slot)

    def is_held(self) -> bool:
        """Say whether work is held at this moment."""
        return any(slot.is_holding for slot in self._page.slots())

    def close(self) -> None:
        """Let work go on, and take the page away: there is no background work any more."""
        group, self.group = self.group, None
        self._page.remove()
        if group is not None:
            group.resume()
            group.close()

    def _why_to_end(self, slot: Slot) -> Ended | None:
        until_ns, triggered_ns = slot[WORD.UNTIL], slot[WORD.TRIGGERED]
        now_ns = self._now_ns()  # after them: a hold may have begun since the look did
        if until_ns == 0:  # it let go meanwhile
            return None
        if not self._page.is_locked(slot.index):
            return Ended.HOLDER_DEAD
        if until_ns - now_ns > HOLD_NS_MAX or not 0 <= now_ns - triggered_ns < HOLD_NS_MAX:
            return Ended.ABSURD
        return Ended.OVERDUE if now_ns > until_ns + GRACE_NS else None

    def _is_too_long(self, now_ns: int, is_held: bool) -> bool:  # noqa: FBT001 - one caller
        if not is_held:
            self._held_since_ns = 0
            return False
        if not self._held_since_ns:
            self._held_since_ns = now_ns
        if now_ns - self._held_since_ns <= TOGETHER_NS_MAX:
            return False
        self._held_since_ns = 0
        self._page.words[HEAD.REST_UNTIL] = now_ns + REST_NS
        return True

    def _end(self, slot: Slot, number: int, why: Ended, now_ns: int) -> None:
        held_ns = now_ns - slot[WORD.TRIGGERED]
        is_sane = 0 <= held_ns < HOLD_NS_MAX
        try:
            trigger = Trigger(slot[WORD.KIND])
        except ValueError:
            trigger = Trigger.OPPORTUNITY
        slot[WORD.ENDED] = number
        log.warning("background work was held by %s, ended here: %s", slot.name, why)
        self._add(
            Switch(
                holder=slot.name,
                trigger=trigger,
                others=0,
                triggers=1,
                triggered_at_ns=time.time_ns() - (held_ns if is_sane else 0),
                signal_ns=0,
                held_ns=held_ns if is_sane else 0,
                resume_ns=0,
                ended=why,
            )
        )

    def _add(self, switch: Switch) -> None:
        self.switches.add(switch)
        self.held_ns += switch.held_ns

    def _resume(self) -> None:
        """Let work go on; who began to hold it meanwhile is seen after it."""
        self._resumed_at_ns = time.time_ns()
        if self.group is None:
            return
        self.group.resume()
        if self._page.is_held_at(self._now_ns()):
            self.group.stop()

    def _is_stuck(self) -> bool:
        """Say whether all is stopped, at two looks, though nobody holds it."""
        self._looks += 1
        if self.group is None or self._looks % STUCK_LOOKS:
            return False
        is_stopped = self.group.is_stopped()
        is_stuck, self._was_stopped = is_stopped and self._was_stopped, is_stopped
        self.stuck += is_stuck
        return is_stuck

    def _look_for_unstopped(self, holding: list[Slot], now_ns: int) -> None:
        """Look in each hold whether something runs on: it is told to stop again, then ended."""
        if self.group is None or now_ns - self._held_since_ns < STOP_WITHIN_NS:
            return
        tried = self._tries.get(self._held_since_ns, 0)
        if tried >= TRIES or not self._page.is_held_at(now_ns):
            return
        numbers = [slot[WORD.NUMBER] for slot in holding]
        running = self.group.running()
        # Let go while it was looked: then they may run.
        is_same = numbers == [slot[WORD.NUMBER] for slot in holding]
        if not is_same or not self._page.is_held_at(self._now_ns()):
            return
        self._tries = {self._held_since_ns: tried + 1 if running else TRIES}
        # One that was not given a processor yet may look as if it ran.
        before, self._ran_ns = self._ran_ns, {one: ran_ns(one) for one, _ in running}
        running = [
            (process, state)
            for process, state in running
            if state == WITHIN_KERNEL
            or self._ran_ns[process] - before.get(process, self._ran_ns[process]) > RAN_NS
        ]
        if tried == TRIES - 1:
            for process, state in running:
                self._force(process, state)
        elif tried and (found := [one for one in running if one[1] != WITHIN_KERNEL]):
            for process, state in found:
                self._tell(process, state)
            self.group.stop()

    def _force(self, process: int, state: str) -> None:
        """End a process that does not stop; one within the kernel runs nothing, and is told."""
        assert self.group is not None
        if state == WITHIN_KERNEL:
            self._tell(process, state)
        elif self.group.force(process):
            self.switches.forced += 1
            log.warning("process %d of background work does not stop: it is ended", process)

    def _tell(self, process: int, state: str) -> None:
        self.switches.unstopped += 1
        self.unstopped.append(Unstopped(process=process, state=state, at_ns=time.time_ns()))
        log.warning("process %d of background work (%s) does not stop", process, state)

    def _drain(self, slot: Slot) -> None:
        written, read = slot.written(), self._read[slot.index]
        if written < read:  # nobody writes so
            self.switches.damaged += 1
            read = written
        first = max(read + 1, written - RING + 1)
        self.switches.lost += first - read - 1
        for number in range(first, written + 1):
            try:
                switch = self._page.read(slot, number)
                since_ns = self._resumed_at_ns - switch.triggered_at_ns - switch.held_ns
                self._add(replace(switch, resume_ns=max(since_ns, 0)))
            except BadValueError as error:
                self.switches.damaged += 1
                log.warning("%s: %s", slot.name, error)
        self._read[slot.index] = written
