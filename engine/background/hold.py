"""Pushing background work aside, as the engine and others on the hot path do it.

A trigger stops all background work with one call of the system, or extends the hold that is on with
one store. The holder's own loop ends the hold when its path has been quiet for a while; the watch
of the role `workers` sees that and lets the work go on. (Who resumes it shares its core with what
wakes up then, for up to a tick of the kernel: that must not be the engine.) Nothing here is waited
for, raises, or can change a decision; where there is no background work nothing is done.

Background work keeps its share of time: what is held is drawn from a credit that grows while
nothing is held. Without credit a hold ends, and none begins until there is some again; the work is
scheduled as idle all the time, so that it is pushed aside by the kernel's scheduler then.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from msgspec.structs import replace

from engine.background.group import Group
from engine.background.hold_page import HEAD, WORD, Page, Slot
from engine.background.switches import Ended, Switch, Trigger
from engine.domain.errors import BadValueError

log = logging.getLogger(__name__)

_NS_PER_S: Final = 1_000_000_000
# Plain names: what a trigger looks up has left the caches, and each lookup counts.
_NUMBER, _UNTIL, _TRIGGERED = WORD.NUMBER, WORD.UNTIL, WORD.TRIGGERED
_KIND, _ENDED, _REST_UNTIL = WORD.KIND, WORD.ENDED, HEAD.REST_UNTIL
_REST_NS_MAX: Final = 10 * _NS_PER_S


class Handle(Protocol):
    """Something that will be called."""

    def cancel(self) -> None:
        """Not any more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldTerms:
    """How long is held.

    Attributes:
        quiet_ns: so long after the last trigger work goes on.
        longest_ns: most of one hold.
        held_ratio_max: most share of time that is held, over times longer than `longest_ns`.
    """

    quiet_ns: int = 30_000_000
    longest_ns: int = 1_000_000_000
    held_ratio_max: float = 0.5


class Hold:
    """What one process holds; not for threads.

    Attributes:
        trouble: why nothing can be held; empty if something can.
        holds: how many began.
        triggers: how many triggers came while something could be held.
        passed_over: how many of them found no credit.
        failures: how often something went wrong; the path went on.
        is_busy: says whether the path is still under way, whatever was triggered.
        led_to: says what became of a trigger's subject, in a word or two.

    Args:
        name: of the holder, such as ``engine-main``.
        path: of the page.
        terms: how long is held.
        call_later: calls something after some seconds, from the same thread.
        call_soon: calls something once what runs now in the same thread is done.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        terms: HoldTerms,
        call_later: Callable[[float, Callable[[], None]], Handle],
        call_soon: Callable[[Callable[[], None]], Handle],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.trouble = "there is no background work"
        self.holds = self.triggers = self.passed_over = self.failures = 0
        self._name, self._path, self._terms = name, path, terms
        self._quiet_ns = terms.quiet_ns
        self._call_later = call_later
        self._call_soon = call_soon
        self.is_busy: Callable[[], bool] = lambda: False
        self.led_to: Callable[[str], str] = lambda _subject: ""
        self._now_ns = now_ns
        self._page: Page | None = None
        self._slot: Slot | None = None
        self._group: Group | None = None
        self._at = self._number = 0
        self._is_on = False
        self._kind = Trigger.OPPORTUNITY
        self._subject = ""
        self._others = self._count = 0
        self._triggered_ns = self._signalled_ns = self._until_ns = self._latest_ns = 0
        self._credit_ns = terms.longest_ns
        self._credit_at_ns = now_ns()
        self._timer: Handle | None = None

    def is_on(self) -> bool:
        """Say whether background work is held from here."""
        return self._is_on

    def trigger(self, kind: Trigger, subject: str = "") -> None:
        """Push background work aside, or keep it there for longer."""
        if self._group is None:
            return
        try:
            self._trigger(kind, subject)
        except Exception:  # noqa: BLE001 - whatever it is: a trade matters more
            self.failures += 1

    def look(self) -> None:
        """See whether there is background work, and whether it is that of before.

        To be called now and then, off the hot path.
        """
        try:
            self._look()
        except Exception as error:  # noqa: BLE001 - the engine does without
            self._leave(str(error) or type(error).__name__)

    def close(self) -> None:
        """Let go of everything."""
        self._leave("it was closed")

    def _trigger(self, kind: Trigger, subject: str) -> None:
        page, group, at = self._page, self._group, self._at
        assert page is not None
        assert group is not None
        words, now_ns = page.words, self._now_ns()
        self.triggers += 1
        if self._is_on and words[at + _ENDED] != self._number:
            words[at + _UNTIL] = self._until_ns = min(now_ns + self._quiet_ns, self._latest_ns)
            self._count += 1
            self._others |= 1 << kind
            return
        credit_ns = self._credit(now_ns)
        if credit_ns < self._quiet_ns or 0 < words[_REST_UNTIL] - now_ns < _REST_NS_MAX:
            self.passed_over += 1
            return
        self._number += 1
        words[at + _NUMBER] = self._number
        words[at + _TRIGGERED] = now_ns
        words[at + _KIND] = kind
        words[at + _UNTIL] = self._until_ns = now_ns + self._quiet_ns
        self._is_on = True
        if not group.stop():
            self._cancel("its processes are gone")
            return
        self._signalled_ns = self._now_ns()
        self.holds += 1
        self._kind, self._subject, self._others, self._count = kind, subject, 0, 1
        self._triggered_ns, self._latest_ns = now_ns, now_ns + credit_ns
        self._credit_ns, self._credit_at_ns = credit_ns, now_ns
        if self._timer is None:  # to make one that is due later takes 14 us: after the path
            self._timer = self._call_soon(self._due)

    def _due(self) -> None:
        """Let go if the path is quiet, else look again later."""
        self._timer = None
        try:
            self._let_go_if_due()
        except Exception:  # what is held is let go by the watch then
            self.failures += 1
            self._is_on = False
            log.exception("background work was not let go as it should")

    def _let_go_if_due(self) -> None:
        slot = self._slot
        if not self._is_on or slot is None:
            return
        now_ns = self._now_ns()
        if slot[WORD.ENDED] == self._number:  # the watch ended it
            self._is_on = False
            self._draw(now_ns)
        elif now_ns >= self._latest_ns:
            self._release(Ended.LONGEST)
        else:
            if now_ns >= self._until_ns and self.is_busy():
                slot[WORD.UNTIL] = self._until_ns = min(now_ns + self._quiet_ns, self._latest_ns)
            if now_ns < self._until_ns:
                self._wake_after(self._until_ns - now_ns)
            else:
                self._release(Ended.QUIET)

    def _release(self, ended: Ended) -> None:
        page, slot = self._page, self._slot
        assert page is not None
        assert slot is not None
        now_ns = self._now_ns()
        self._draw(now_ns)
        switch = Switch(
            holder=self._name,
            trigger=self._kind,
            others=self._others,
            triggers=self._count,
            triggered_at_ns=time.time_ns() - (now_ns - self._triggered_ns),
            signal_ns=self._signalled_ns - self._triggered_ns,
            held_ns=now_ns - self._triggered_ns,
            resume_ns=0,
            ended=ended,
            subject=self._subject,
        )
        self._is_on = False
        slot[WORD.UNTIL] = 0
        led_to = self.led_to(switch.subject) if switch.subject else ""
        page.write(slot, replace(switch, led_to=led_to))

    def _look(self) -> None:
        if self._page is not None and not self._page.is_current():
            self._leave("the page was taken away")
        if self._page is None:
            page = Page.open(self._path)
            try:
                self._slot = page.take_slot(self._name)
            except BadValueError:
                page.close()
                raise
            self._page, self._at = page, self._slot.at
            self._number = self._slot.newest_number()
        named, group = self._page.announced(), self._group
        if group is not None and named == (group.leader, group.started):
            return
        if group is not None:
            self._group = None
            group.close()
        if named is None:
            self.trouble = "there is no background work"
            return
        try:
            self._group = Group(*named)
        except BadValueError as error:
            self.trouble = str(error)
            return
        self.trouble = ""
        if self._is_on:  # it came while it is held
            self._group.stop()

    def _leave(self, why: str) -> None:
        self.trouble = why
        if self._is_on:
            try:
                self._release(Ended.CLOSED)
            except Exception:  # what is held is let go by the watch then
                self._is_on = False
                log.exception("background work was not let go as it should")
        group, page = self._group, self._page
        self._group = self._page = self._slot = None
        if group is not None:
            group.close()
        if page is not None:
            page.close()

    def _cancel(self, why: str) -> None:
        """Take back a hold that reached nobody."""
        assert self._slot is not None
        self._is_on = False
        self._slot[WORD.UNTIL] = 0
        self.trouble = why
        self.failures += 1

    def _credit(self, now_ns: int) -> int:
        ratio = self._terms.held_ratio_max
        grown_ns = int((now_ns - self._credit_at_ns) * ratio / (1 - ratio))
        return min(self._credit_ns + grown_ns, self._terms.longest_ns)

    def _draw(self, now_ns: int) -> None:
        """Take what was held from the credit."""
        self._credit_ns = max(self._credit_ns - (now_ns - self._credit_at_ns), 0)
        self._credit_at_ns = now_ns

    def _wake_after(self, delay_ns: int) -> None:
        self._timer = self._call_later(delay_ns / _NS_PER_S, self._due)
