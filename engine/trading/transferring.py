"""Transfers at work: what is due is sent, what is under way is looked up at both of its ends.

A send leaves once, after it is on disk; nothing here sends again. All of it may be broken off
anywhere: what is on disk is looked up by whoever starts next.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engine.domain.destinations import Destination
from engine.domain.errors import BadValueError, TransientError
from engine.domain.instruments import VenueId
from engine.domain.signing import SignRefusal
from engine.domain.transfer_life import ENDED, Part, SendState, TransferOrder
from engine.domain.transfers import TransferNews
from engine.domain.venue_orders import KeyRights
from engine.gateways.answers import Page, Unclear
from engine.gateways.asks import (
    DepositsAsk,
    WithdrawalsAsk,
    WithdrawAsk,
    WithdrawRightsAsk,
    calls_of,
)
from engine.gateways.rights import UNTOLD
from engine.gateways.venue_signing import VenueIntent
from engine.gateways.withdrawing import why_no_withdrawing_key, withdrawing_of
from engine.storage.durable_file import Boundary, go_on
from engine.trading.transfer_desk import CLOCKS_MS, TransferDesk, Waiting
from engine.trading.transfer_kept import KeptTransfer, request_of
from engine.trading.turns import Urgency

if TYPE_CHECKING:
    from engine.trading.answers import AtVenue

log = logging.getLogger(__name__)

EVERY_S: Final = 1.0
LOOKS_PER_WEIGHT_S: Final = 3.0
LOOK_S_MIN: Final = 2.0
LOOK_S_MAX: Final = 15.0
RIGHTS_S: Final = 600.0


@dataclass(slots=True, kw_only=True)
class Transfers:
    """See the module.

    Attributes:
        venues: at which orders are placed, as transfers go between those.
        sources: from which may be withdrawn.
        named: what a source calls an address.
        vouched: sources of whose withdraw key a person says that it cannot trade.
        killed: says why an engine is killed; empty if it is not.
        crash: is told of each place between two effects; a test ends the process there.
        waits: by transfer why it is not sent though it is its turn.
        tell: tells a person; it is told the same again after a restart.
    """

    desk: TransferDesk
    venues: "Mapping[VenueId, AtVenue]"
    sources: Collection[str]
    named: Callable[[str, Destination], str]
    vouched: Collection[str] = ()
    killed: Callable[[str], str] = lambda _engine: ""
    crash: Boundary = go_on
    waits: dict[str, str] = field(default_factory=dict)
    tell: Callable[[KeptTransfer, TransferNews], None] = lambda _kept, _news: None
    _looks_ms: dict[str, int] = field(default_factory=dict)
    _key_trouble: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hear of every change that was kept."""
        self.desk.changed = self._changed

    async def run(self) -> None:
        """Take up what is on disk, and do what is due until cancelled.

        Raises:
            FatalError: the table cannot be used.
        """
        self.begin()
        while True:
            await self.step()
            await asyncio.sleep(EVERY_S)

    def begin(self) -> None:
        """Take up what is on disk, and tell again what may not have been heard."""
        for kept in self.desk.table.recent(self.desk.wall_ns()):
            for news in kept.news:
                self.tell(kept, news)
        self.desk.resume()

    async def step(self) -> None:
        """Do once what is due."""
        for kept in self.desk.table.under_way():
            await self._lead(kept)

    def why_not(self, order: TransferOrder) -> str:
        """Say why a transfer cannot be taken on; empty if it may be."""
        source, target = order.source, order.destination.venue
        if source not in self.sources:
            return (
                f"nothing is withdrawn from {source[:20]}: python -m engine keys withdraw VENUE"
                " keeps a key for it, and SYNDICATE_TRANSFERS_VENUES names it; it is for"
                f" {', '.join(self.sources) or 'none'}"
            )
        for venue in (source, target):
            if venue not in self.venues:
                return f"{venue} is no exchange of ours: nothing there could be looked up"
            try:
                withdrawing_of(venue)
            except BadValueError as error:
                return f"what comes in at {venue} cannot be proven: {error}"
        for one in self.desk.table.under_way():
            if (one.source, one.asset) == (source, order.asset):
                return (
                    f"{one.transfer_id} moves {one.asset} from {source} already: of two the venue's"
                    " list could not tell which is which"
                )
        return ""

    async def why_no_key(self, source: str) -> str:
        """Ask a source what its withdraw key may do; say why nothing is withdrawn with it."""
        at_ms, why = self._key_trouble.get(source, (-1, ""))
        now_ms = self.desk.now_ms()
        if at_ms >= 0 and not why and now_ms - at_ms < RIGHTS_S * 1_000:
            return ""
        rights = await self.rights(source)
        if isinstance(rights, str):
            return rights
        why = why_no_withdrawing_key(rights, is_vouched=source in self.vouched)
        self._key_trouble[source] = (now_ms, why)
        return f"{source}: {why}" if why else ""

    async def rights(self, source: str) -> KeyRights | str:
        """Return what a source says that its withdraw key may do, or why that is not known."""
        line = self.venues[VenueId(source)].work.line
        _, answers = await line.ask(WithdrawRightsAsk(), Urgency.READ)
        for answered in answers:
            if answered.reply is None:
                return f"the rights of the withdraw key of {source}: {answered.why}"
            told = line.gateway.rights_told(answered.reply.status, answered.reply.body)
            if isinstance(told, Unclear):
                return f"the rights of the withdraw key of {source}: {told.why}"
            return told
        return UNTOLD

    def _changed(self, before: KeptTransfer | None, now: KeptTransfer) -> None:
        # A reading of either account that is under way may be of before or after that.
        for venue in (now.source, now.target):
            if venue in self.venues:
                self.venues[venue].work.desk.moved()
        for news in now.news[0 if before is None else len(before.news) :]:
            self.tell(now, news)

    async def _lead(self, kept: KeptTransfer) -> None:
        if why := self.killed(kept.engine):
            self.desk.cancel(kept.transfer_id, why)
        waiting = self.desk.look(kept.transfer_id)
        if waiting is Waiting.TURN:
            await self._send(kept)
        elif waiting is Waiting.VENUES and self._is_time(kept):
            await self._look_up(kept.transfer_id)
            self.desk.warn(kept.transfer_id)

    # ---- a send leaves

    async def _send(self, kept: KeptTransfer) -> None:
        at = self.venues[kept.source]
        why = at.why_not or _unknown_order(at) or await self.why_no_key(kept.source)
        if why:
            self.waits[kept.transfer_id] = why
            return
        self.waits.pop(kept.transfer_id, None)
        if self.desk.look(kept.transfer_id) is not Waiting.TURN:
            return  # it was stopped while its source was asked
        named = self.named(kept.source, kept.life.order.destination)
        kept, part = self.desk.intend(kept.transfer_id, named=named)
        self.crash("a transfer is intended")
        await self._leave(at, kept, part)

    async def _leave(self, at: "AtVenue", kept: KeptTransfer, part: Part) -> None:
        line, request = at.work.line, request_of(kept, part)
        ask = WithdrawAsk(
            transfer_id=kept.transfer_id, is_test=part is Part.TEST, withdrawal=request
        )
        try:
            calls = calls_of(ask, line.gateway)
        except BadValueError as error:
            self.desk.withheld(kept.transfer_id, part, str(error))
            return
        async with line.turn(Urgency.CANCEL, calls):
            if why := self.killed(kept.engine) or self.desk.why_stopped(kept.transfer_id):
                self.desk.withheld(kept.transfer_id, part, why)
                return
            intent = VenueIntent(engine=kept.engine, venue=kept.source, ask=ask)
            try:
                signed = await line.sign(intent)
            except TransientError as error:
                # Nobody but us sends, and what the answer held is lost: it never leaves.
                self.desk.withheld(kept.transfer_id, part, str(error))
                return
            if isinstance(signed, SignRefusal):
                self.desk.withheld(kept.transfer_id, part, f"the signer: {signed.detail}")
                return
            self.crash("a transfer is signed")
            reply = await line.send(signed.calls[0])
        self.crash("a transfer has left")
        if isinstance(reply, str):
            self.desk.answered(kept.transfer_id, part, reply)
            return
        answer = withdrawing_of(kept.source).withdrawn(request, reply.status, reply.body)
        self.desk.answered(kept.transfer_id, part, answer)

    # ---- what is under way

    def _is_time(self, kept: KeptTransfer) -> bool:
        """Say whether it is looked up now: not as often as would use up what a venue allows."""
        now_ms = self.desk.now_ms()
        if now_ms < self._looks_ms.get(kept.transfer_id, 0):
            return False
        paces = (self.venues[one].work.line.gateway.pace for one in (kept.source, kept.target))
        every_s = max(LOOKS_PER_WEIGHT_S / one.weight_per_s for one in paces)
        every_s = min(max(every_s, LOOK_S_MIN), LOOK_S_MAX)
        self._looks_ms[kept.transfer_id] = now_ms + int(every_s * 1_000)
        return True

    async def _look_up(self, transfer_id: str) -> None:
        for part in Part:
            kept = self.desk.table.get(transfer_id)
            assert kept is not None
            send = kept.life.sends.get(part)
            if send is None or send.state in ENDED or send.state is SendState.INTENDED:
                continue
            await self._look_at_source(kept, part)
            kept = self.desk.table.get(transfer_id)
            assert kept is not None
            if kept.facts[part].tx_id and kept.life.sends[part].state not in ENDED:
                await self._look_at_target(kept, part)

    async def _look_at_source(self, kept: KeptTransfer, part: Part) -> None:
        withdrawing = withdrawing_of(kept.source)
        since_ms = kept.facts[part].intended_ms - CLOCKS_MS
        ask = WithdrawalsAsk(asset=kept.asset, since_ms=since_ms)
        line = self.venues[kept.source].work.line
        began_ms, (answered,) = await line.ask(ask, Urgency.READ)
        if answered.reply is None:
            return
        page = withdrawing.withdrawals_page(answered.reply.status, answered.reply.body)
        if not _is_whole(page, f"withdrawals of {kept.source}"):
            return
        assert isinstance(page, Page)
        self.desk.listed(kept.transfer_id, part, page.items, withdrawing.proof, began_ms=began_ms)

    async def _look_at_target(self, kept: KeptTransfer, part: Part) -> None:
        since_ms = kept.facts[part].intended_ms - CLOCKS_MS
        ask = DepositsAsk(asset=kept.asset, since_ms=since_ms)
        _, (answered,) = await self.venues[kept.target].work.line.ask(ask, Urgency.READ)
        if answered.reply is None:
            return
        page = withdrawing_of(kept.target).deposits_page(answered.reply.status, answered.reply.body)
        if isinstance(page, Unclear):
            log.warning("deposits of %s cannot be read: %s", kept.target, page.why)
            return
        self.desk.came(kept.transfer_id, part, page.items)


def _is_whole(page: object, what: str) -> bool:
    if isinstance(page, Unclear):
        log.warning("%s cannot be read: %s", what, page.why)
        return False
    if isinstance(page, Page) and page.following:
        log.warning("%s are more than one answer holds: that proves nothing", what)
        return False
    return True


def _unknown_order(at: "AtVenue") -> str:
    """Say that an order there is unknown: what it takes is not known either."""
    if any(one.kept.unknown_since_ns for one in at.work.desk.under_way):
        return "what became of an order there is not known"
    return ""
