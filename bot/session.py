"""A chat session: what every chat does with lines and taps, whoever carries them to and fro.

A kill waits for nothing, voids the second steps that wait, and what was sent before it can loosen
nothing after it. Reads run side by side; what changes the engine runs one after another. A change
that may not be carried out now, as it is too old or cannot be stored, is so as far as it tightens.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bot.answer import Answer
from bot.command import Kind
from bot.confirmations import Confirmations
from bot.dispatch import Dispatcher, Invocation, Refused, read_line
from bot.render.troubles import (
    render_busy,
    render_conflict_refusal,
    render_ledger_away,
    render_left,
    render_stale,
    render_voided,
)
from engine.bus.command import seal
from engine.domain.errors import SyndicateError
from engine.domain.units import NS_PER_S
from engine.requests.safety import Kill

_log = logging.getLogger(__name__)

RUNNING_MAX: Final = 64
"""Reads that run at once; each ends within the facade's time limit."""

WAITING_MAX: Final = 500
"""Turns under way in all; later ones are refused with a word, protective ones at double."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer to a second step."""

    nonce: str
    is_yes: bool


Asked = Invocation | Refused | Choice | None
"""What was asked for; None where a message or a button says nothing that is known."""

Deliver = Callable[[Answer | None], Awaitable[None]]
"""Shows an answer; None where what was asked means nothing, or no longer counts."""


def read_button(line: str) -> Invocation | None:
    """Parse the line of a button; None where no button may carry it."""
    asked = read_line(line)
    return asked if isinstance(asked, Invocation) and asked.entry.is_on_buttons else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a person asks for, and how it came.

    Attributes:
        by: who asks, as the records will show it.
        epoch: number of kills when it was admitted.
        given_at_ns: when it was sent; None where that is now, or not known.
        is_late: it waited while nobody took it.
        is_stored: it does not get lost, or cannot.
        ref: what it is called in envelopes, however often it is told; empty if it is told once.
    """

    asked: Asked
    by: str
    epoch: int
    given_at_ns: int | None = None
    is_late: bool = False
    is_stored: bool = True
    ref: str = ""

    @property
    def kind(self) -> Kind:
        """Return how carefully it has to be taken."""
        if isinstance(self.asked, Invocation):
            return self.asked.kind
        return Kind.CHANGE if isinstance(self.asked, Choice) else Kind.READ

    @property
    def may_tighten(self) -> bool:
        """Say whether this, a change, may turn out to only make the engine do less."""
        return isinstance(self.asked, Invocation) and self.asked.may_tighten

    @property
    def shown(self) -> str:
        """Return what was asked for, as it may be repeated."""
        if isinstance(self.asked, Invocation):
            return self.asked.shown
        return "second step" if isinstance(self.asked, Choice) else "message"


@dataclass(slots=True)
class Shared:
    """What the chats of one engine share: a kill or a tightening of one person counts for all.

    Attributes:
        confirm_s: how long a second step counts.
        confirmations: second steps that wait, each for one person.
        changing: held by whoever changes the engine: one change after another.
        epoch: number of kills so far; a command of an earlier epoch may not loosen anything.
    """

    confirm_s: int
    confirmations: Confirmations = field(init=False)
    changing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    epoch: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.confirmations = Confirmations(self.confirm_s)


@dataclass(slots=True)
class ChatSession:
    """Decides whether a turn may still be carried out, and carries it out in its lane.

    Attributes:
        shared: with the chats of other persons, where there are any.
        is_conflicted: somebody else speaks in this chat too: only what protects is taken.
    """

    dispatcher: Dispatcher
    shared: Shared
    is_conflicted: Callable[[], bool] = lambda: False
    _under_way: int = field(default=0, init=False)
    _is_idle: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _reading: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(RUNNING_MAX), init=False
    )

    def __post_init__(self) -> None:
        self._is_idle.set()

    @property
    def epoch(self) -> int:
        """Return the number of kills so far."""
        return self.shared.epoch

    def answer(self, turn: Turn, deliver: Deliver) -> Coroutine[Any, Any, None]:
        """Return what carries a turn out and delivers one answer, whatever happens.

        That it kills or tightens counts from this call on, however long the engine takes.
        """
        asked = turn.asked
        if not turn.is_late:
            self.dispatcher.note_sign()
        if isinstance(asked, Invocation) and asked.tightens:
            self.shared.confirmations.void_all()
            if asked.is_kill:
                self.shared.epoch += 1
                return self._carry_out(turn, deliver)
        return self._in_lane(turn, deliver)

    async def drain(self, *, deadline_s: float) -> None:
        """Wait until all is carried out, as far as the time allows."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._is_idle.wait()
        except TimeoutError:
            _log.warning("%d commands end unfinished", self._under_way)

    async def _in_lane(self, turn: Turn, deliver: Deliver) -> None:
        if self._under_way >= WAITING_MAX * (2 if turn.kind is Kind.PROTECTIVE else 1):
            await deliver(Answer(screen=render_busy(turn.shown), is_final=False))
            return
        self._under_way += 1
        self._is_idle.clear()
        try:
            async with self._reading if turn.kind is Kind.READ else self.shared.changing:
                refusal = self._refusal(turn)
                if refusal is None or turn.may_tighten:
                    await self._carry_out(turn, deliver, refusal=refusal)
                else:
                    await deliver(refusal)
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._is_idle.set()

    def _refusal(self, turn: Turn) -> Answer | None:
        """Return why a turn may not be carried out, or None where it may."""
        if turn.kind is not Kind.PROTECTIVE and self.is_conflicted():
            return Answer(screen=render_conflict_refusal(turn.shown))
        if turn.kind is not Kind.CHANGE:
            return None
        if turn.given_at_ns is not None:
            age_s = (self.dispatcher.clock() - turn.given_at_ns) // NS_PER_S
            age_s_max = self.dispatcher.settings.command_age_s_max
            if abs(age_s) > age_s_max:
                screen = render_stale(line=turn.shown, age_s=age_s, age_s_max=age_s_max)
                return Answer(screen=screen)
        if not turn.is_stored:
            return Answer(screen=render_ledger_away(line=turn.shown), is_final=False)
        if turn.epoch != self.epoch:
            return Answer(screen=render_voided(turn.shown))
        return None

    async def _carry_out(
        self, turn: Turn, deliver: Deliver, *, refusal: Answer | None = None
    ) -> None:
        """Carry a turn out; with a refusal only as far as it tightens."""
        answer: Answer | None = None
        match turn.asked:
            case Invocation() as invocation:
                answer = await self.dispatcher.carry_out(
                    invocation,
                    by=turn.by,
                    given_at_ns=turn.given_at_ns,
                    is_late=turn.is_late,
                    ref=turn.ref,
                    refusal=refusal,
                )
            case Choice() as choice:
                answer = await self._choose(choice, by=turn.by)
            case Refused() as refused:
                answer = refused.answer
        # What only tightened let nothing through that the kill would have to stop.
        if turn.kind is Kind.CHANGE and turn.epoch != self.epoch and refusal is None:
            await self._kill_again(turn.by)
        if answer is not None and answer.confirmation is not None:
            now_ns = self.dispatcher.clock()
            nonce = self.shared.confirmations.offer(answer.confirmation, by=turn.by, now_ns=now_ns)
            answer = replace(answer, nonce=nonce)
        await deliver(answer)

    async def _choose(self, choice: Choice, *, by: str) -> Answer | None:
        now_ns = self.dispatcher.clock()
        confirmation = self.shared.confirmations.take(choice.nonce, by=by, now_ns=now_ns)
        if confirmation is None:
            return None
        if choice.is_yes:
            answer = await self.dispatcher.confirm(confirmation)
        else:
            answer = Answer(screen=render_left(confirmation.action))
        return replace(answer, nonce=choice.nonce)

    async def _kill_again(self, by: str) -> None:
        """Kill once more: a kill came while a loosening command was under way."""
        why = "a kill came while a command was under way"
        try:
            kill = seal(Kill(why=why), by=by, at_ns=self.dispatcher.clock())
            await self.dispatcher.ask(kill)
        except SyndicateError as error:
            _log.warning("the repeated kill was not confirmed: %s", error)
