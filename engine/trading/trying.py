"""A venue is tried before anybody is live there, by an order far from the market, only to rest.

It is placed, looked up, cancelled and looked up again, by the very ways of all orders. Each step is
so, or a sentence says what was instead. The venue is not compared with what is written meanwhile:
this order is written nowhere.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from engine.bus.trading import TriedLine, TryVenue, VenueTried
from engine.domain.errors import TransientError
from engine.domain.signing import SignRefusal
from engine.domain.venue_orders import (
    KeyRights,
    OrderRequest,
    OrderShown,
    Stage,
    TimeInForce,
    wire_id_of,
)
from engine.gateways.answers import CancelTaken, Found, NotPlaced, PlaceAnswer, Unclear
from engine.gateways.asks import CancelAsk, LookUpAsk, PlaceAsk, calls_of
from engine.gateways.rights import UNTOLD, why_no_trading_key
from engine.gateways.venue_signing import VenueIntent
from engine.trading.account import UnreadError, read_rights
from engine.trading.checking import VenueCheck
from engine.trading.turns import Urgency

LOOKS: Final = 10
LOOK_S: Final = 0.5
LATEST_MS: Final = 5_000
CLOCKS_MS: Final = 5_000


class _FailedError(Exception):
    """A step was not so; the text says what was instead."""


class Trial:
    """One trial of a venue.

    Args:
        check: of the venue; it is held up meanwhile.
        asked: which order.
        wall_ms: the wall clock.
    """

    def __init__(self, check: VenueCheck, asked: TryVenue, wall_ms: Callable[[], int]) -> None:
        self._check = check
        self._line = check.work.line
        self._asked = asked
        self._wall_ms = wall_ms
        self._lines: list[TriedLine] = []
        self._rights: KeyRights = UNTOLD
        self._began_ms = wall_ms()
        self._request = OrderRequest(
            wire_id=wire_id_of(asked.client_order_id, engine_id=asked.engine),
            venue=asked.venue,
            wire_name=asked.wire_name,
            side=asked.side,
            size_base=asked.size_base,
            price_limit=asked.price_limit,
            time_in_force=TimeInForce.POST_ONLY,
            sent_before_ms=self._began_ms + LATEST_MS,
        )

    async def run(self) -> VenueTried:
        """Try all of it, to the first step that is not so."""
        async with self._check.looking:
            try:
                await self._read_rights()
                venue_order_id = await self._place()
                shown = await self._until("open", venue_order_id, lambda one: not one.is_final)
                await self._cancel(shown.venue_order_id or venue_order_id)
                ended = await self._until("cancelled", venue_order_id, lambda one: one.is_final)
                self._say_end(ended)
            except (UnreadError, _FailedError, TransientError) as error:
                self._lines.append(TriedLine(is_so=False, text=str(error)))
        standing = self._check.standing
        is_clean = not standing.halted and not standing.unchecked
        return VenueTried(
            lines=tuple(self._lines),
            rights=self._rights,
            reconciled_at_ns=standing.checked_at_ns if is_clean else 0,
            why_not_reconciled=standing.halted or standing.unchecked,
        )

    async def _read_rights(self) -> None:
        self._rights = rights = await read_rights(self._line)
        why = why_no_trading_key(rights, is_vouched=self._check.is_vouched)
        if why:
            raise _FailedError(why)
        self._pass(
            "the key may trade, and may not withdraw"
            if rights.may_withdraw is False
            else "the venue says nothing of the key; a person vouches that it cannot withdraw"
        )

    async def _place(self) -> str:
        answer = await self._placed()
        if isinstance(answer, NotPlaced):
            raise _FailedError(f"the order is refused: {answer.code}: {answer.why}")
        what = f"{self._request.size_base:f} {self._request.wire_name}"
        if isinstance(answer, Unclear):
            self._pass(f"an order for {what} was sent; its answer proves nothing: {answer.why}")
            return ""
        self._pass(f"an order for {what} at {self._request.price_limit:f} is placed")
        return answer.shown.venue_order_id

    async def _placed(self) -> PlaceAnswer:
        ask = PlaceAsk(request=self._request)
        (call,) = calls_of(ask, self._line.gateway)
        async with self._line.turn(Urgency.PLACE, (call,)):
            intent = VenueIntent(
                engine=self._asked.engine,
                venue=self._asked.venue,
                ask=ask,
                client_order_id=self._asked.client_order_id,
                is_test=True,
                latest_ms=self._began_ms + LATEST_MS,
            )
            signed = await self._line.sign(intent)
            if isinstance(signed, SignRefusal):
                raise _FailedError(f"the signer does not sign it: {signed.detail}")
            reply = await self._line.send(signed.calls[0])
        if isinstance(reply, str):
            return Unclear(why=reply)
        return self._line.gateway.placed(self._request, reply.status, reply.body)

    async def _cancel(self, venue_order_id: str) -> None:
        ask = CancelAsk(request=self._request, venue_order_id=venue_order_id)
        _, answers = await self._line.ask(ask, Urgency.CANCEL, engine=self._asked.engine)
        for answered in answers:
            if answered.reply is None:
                raise _FailedError(f"its cancellation has no answer: {answered.why}")
            told = self._line.gateway.cancelled(answered.reply.status, answered.reply.body)
            if not isinstance(told, CancelTaken):
                raise _FailedError(f"its cancellation is not taken: {told.why}")
        self._pass("its cancellation is taken")

    async def _until(
        self, what: str, venue_order_id: str, is_so: Callable[[Stage], bool]
    ) -> OrderShown:
        """Look the order up until it is somewhere; the venue's look-ups may lag."""
        why = "the venue does not show it"
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(LOOK_S)
            for shown in await self._look(venue_order_id):
                why = f"the venue shows it {shown.stage}"
                if is_so(shown.stage):
                    self._pass(f"it is found by our id: {shown.stage}")
                    return shown
        # What is ours and written nowhere is cancelled by the next comparison.
        raise _FailedError(f"it should be {what}, and {why}; if it is there it is cancelled soon")

    async def _look(self, venue_order_id: str) -> Sequence[OrderShown]:
        ask = LookUpAsk(
            request=self._request,
            venue_order_id=venue_order_id,
            made_since_ms=self._began_ms - CLOCKS_MS,
        )
        _, answers = await self._line.ask(ask, Urgency.LOOK_UP, engine=self._asked.engine)
        found: list[OrderShown] = []
        for answered in answers:
            if answered.reply is None:
                continue
            told = self._line.gateway.looked_up(
                self._request, answered.call, answered.reply.status, answered.reply.body
            )
            if isinstance(told, Found):
                found += told.orders
        return found

    def _say_end(self, ended: OrderShown) -> None:
        if ended.filled_base or ended.trades:
            raise _FailedError(f"it was filled for {ended.filled_base}: it was not far enough away")
        self._pass("nothing of it was filled")

    def _pass(self, text: str) -> None:
        self._lines.append(TriedLine(is_so=True, text=text))
