"""The line to one venue: what is asked is signed when its turn has come, and sent once.

A turn is had before anything is signed, so that numbers that must rise leave in their order, and
nothing that is signed grows old while it waits.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from engine.connectors.limiter import Limiter
from engine.domain.errors import TransientError
from engine.domain.signing import SignRefusal
from engine.gateways.asks import Ask, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.gateway import Gateway
from engine.gateways.venue_signing import VenueIntent, VenueSigned
from engine.trading.turns import Turns, Urgency
from engine.trading.wire import Reply, Wire

CONCURRENT_MAX: Final = 6
"""Calls at once where they need no order of their own."""

Sign = Callable[[VenueIntent], Awaitable[VenueSigned | SignRefusal]]
"""Asks the signer; raises `TransientError` where it is away."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One call and what came of it.

    Attributes:
        reply: None if there was no answer; `why` then.
    """

    call: Call
    reply: Reply | None
    why: str = ""


class Line:
    """See the module.

    Attributes:
        trouble: why the last call had no answer; empty if it had one.
        cuts: counts how often it was found broken after it was well.

    Args:
        gateway: of the venue.
        wire: takes calls there.
        sign: asks the signer.
        engine: in whose name the account is asked.
        limiter, order_limiter: of all calls, and of those that place orders.
        now_ms: a clock that nobody sets.
    """

    def __init__(
        self,
        gateway: Gateway,
        wire: Wire,
        sign: Sign,
        *,
        engine: str,
        limiter: Limiter,
        order_limiter: Limiter,
        now_ms: Callable[[], int],
    ) -> None:
        self.trouble = ""
        self.cuts = 0
        self.gateway: Final = gateway
        self._wire = wire
        self._sign = sign
        self._engine = engine
        self._limiter = limiter
        self._order_limiter = order_limiter
        self._now_ms = now_ms
        self._turns = Turns(1 if gateway.rules.is_fenced else CONCURRENT_MAX)

    @property
    def note(self) -> str:
        """Say until when the venue wants to be left alone; empty if it does not."""
        return self._limiter.note()

    @asynccontextmanager
    async def turn(self, urgency: Urgency, calls: Sequence[Call]) -> AsyncIterator[int]:
        """Have the line for these calls until the block ends; gives when that began.

        What is signed within the block is signed later than everything that was sent before it.
        """
        weight = _weight_of(calls)
        if urgency is Urgency.PLACE:
            await self._order_limiter.turn(weight=1.0)
        if urgency < Urgency.LOOK_UP:
            await self._limiter.turn(weight=weight)
        else:
            kept = self.gateway.pace.kept_for_orders
            await self._limiter.turn_behind(weight=weight, kept=kept)
        async with self._turns.turn(urgency):
            yield self._now_ms()

    def take_at_once(self, calls: Sequence[Call]) -> int | None:
        """Have the line for placing at once, and return when that was; None if it is not free.

        Whoever has it gives it back.
        """
        weight = _weight_of(calls)
        is_free = self._order_limiter.wait_s(1.0) <= 0 and self._limiter.wait_s(weight) <= 0
        if not is_free or not self._turns.take_at_once():
            return None
        self._order_limiter.take(1.0)
        self._limiter.take(weight)
        return self._now_ms()

    def give_back(self) -> None:
        """Let others have the line that was taken at once."""
        self._turns.give()

    async def sign(self, intent: VenueIntent) -> VenueSigned | SignRefusal:
        """Have it signed; raises `TransientError` where the signer is away."""
        return await self._sign(intent)

    def rehearse(self, calls: Sequence[Call]) -> None:
        """Go through writing calls; nothing is written."""
        for call in calls:
            self._wire.rehearse(call)

    async def send(self, call: SignedCall) -> Reply | str:
        """Send a signed call, once; return its answer, or why there is none."""
        reply = await self._wire.send(call)
        if isinstance(reply, str):
            self.cuts += not self.trouble
            self.trouble = reply
        else:
            self.trouble = ""
        return reply

    async def ask(
        self,
        ask: Ask,
        urgency: Urgency,
        *,
        engine: str = "",
        begins: Callable[[Sequence[Call]], None] = lambda _calls: None,
    ) -> tuple[int, list[Answered]]:
        """Ask what places nothing; return when it was signed, at the earliest, and the answers.

        Args:
            ask: what is asked.
            urgency: of its turn.
            engine: whose order it is about, if it is about one.
            begins: is told of the calls in the moment before they are signed.
        """
        calls = calls_of(ask, self.gateway)
        if not calls:
            return self._now_ms(), []
        async with self.turn(urgency, calls) as began_ms:
            begins(calls)
            intent = VenueIntent(engine=engine or self._engine, venue=self.gateway.venue, ask=ask)
            try:
                signed = await self.sign(intent)
            except TransientError as error:
                return began_ms, [Answered(call, None, str(error)) for call in calls]
            if isinstance(signed, SignRefusal):
                return began_ms, [Answered(call, None, signed.detail) for call in calls]
            answers = []
            for call, one in zip(calls, signed.calls, strict=True):
                reply = await self.send(one)
                answers.append(
                    Answered(call, None, reply) if isinstance(reply, str) else Answered(call, reply)
                )
            return began_ms, answers


def _weight_of(calls: Sequence[Call]) -> float:
    return sum(call.weight for call in calls)
