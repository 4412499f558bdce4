"""What the role that places orders answers of transfers: their terms, their state, their end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from engine.bus.report import Declined
from engine.bus.trading import TriedLine, VenueTried
from engine.bus.transfer_reports import TransferLine, TransfersReport, TransferTermsReport
from engine.bus.transferring import GetTransferTerms, TakeOnTransfer
from engine.bus.work_reports import WorkDone
from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination, destinations_of
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.transfer_life import TransferOrder
from engine.domain.transfers import UNNAMED
from engine.domain.units import NS_PER_S
from engine.gateways.wire import plain
from engine.gateways.withdrawing import why_no_withdrawing_key
from engine.trading.transfer_kept import KeptTransfer
from engine.trading.transferring import Transfers

DECIMALS_MAX: Final = 8

NONE_HERE: Final = (
    "nothing is withdrawn here: python -m engine keys withdraw VENUE keeps a key that withdraws and"
    " does nothing else, SYNDICATE_TRANSFERS_VENUES names the exchange; docs/transfers.md"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRules:
    """What the operator allows, as it is shown; the signer has its own and is the one that counts.

    Attributes:
        each, test: by asset the most of one transfer, and of its test.
    """

    allowed: Sequence[Destination]
    each: Mapping[AssetCode, Decimal]
    test: Mapping[AssetCode, Decimal]
    delay_ns: int


class TransferAnswers:
    """See `bus.transferring.Transferring`."""

    def __init__(self, transfers: Transfers, rules: TransferRules, *, basis: Basis) -> None:
        self._transfers = transfers
        self._rules = rules
        self._basis = basis

    def transfers(self, most: int) -> TransfersReport:
        """See `bus.transferring.Transferring`."""
        table = self._transfers.desk.table
        first = {one.transfer_id: one for one in (*table.under_way(), *table.newest(most))}
        shown = list(first.values())[: max(most, len(table.under_way()))]
        return TransfersReport(
            basis=self._basis,
            sources=tuple(VenueId(one) for one in self._transfers.sources),
            lines=[self._line(one) for one in shown],
            allowed=tuple(self._rules.allowed),
        )

    async def terms(self, asked: GetTransferTerms) -> TransferTermsReport:
        """See `bus.transferring.Transferring`."""
        free = self._free(asked.source, asked.asset)
        made = self._order(asked)
        why = made if isinstance(made, str) else self._transfers.why_not(made)
        if not why and free is not None and free < asked.amount:
            why = f"{asked.source} has {plain(free)} {asked.asset} that is free"
        if not why:
            why = await self._transfers.why_no_key(asked.source)
        order = None if why or isinstance(made, str) else made
        return TransferTermsReport(
            basis=self._basis,
            order=order,
            why_not=why,
            free=free,
            asset=AssetCode(asked.asset),
        )

    def take_on(self, asked: TakeOnTransfer) -> WorkDone | Declined:
        """See `bus.transferring.Transferring`."""
        desk, order = self._transfers.desk, asked.order
        if desk.table.get(order.transfer_id) is None:
            why = self._transfers.killed(asked.engine) or self._transfers.why_not(order)
            if why:
                return Declined(why=why)
        kept = desk.take_on(order, engine=asked.engine, by=asked.by)
        wait_s = kept.life.order.delay_ns // NS_PER_S
        return WorkDone(text=f"transfer {kept.transfer_id} is allowed, its test goes in {wait_s} s")

    def cancel(self, transfer_id: str, by: str) -> WorkDone | Declined:
        """See `bus.transferring.Transferring`."""
        desk = self._transfers.desk
        before = desk.table.get(transfer_id)
        if before is None:
            return Declined(why=f"no transfer {transfer_id[:20]}: /transfer shows them")
        if before.ended_ns:
            return Declined(why=f"{transfer_id} has ended: {before.life.state}")
        now = desk.cancel(transfer_id, f"{by} stopped it")
        assert now is not None
        left = now.life.under_way
        if not left:
            return WorkDone(text=f"{transfer_id}: nothing more of it is sent")
        return WorkDone(
            text=f"{transfer_id}: nothing more of it is sent; {plain(left)} {now.asset} had left,"
            " and is followed to its end"
        )

    async def with_rights(self, tried: VenueTried, venue: VenueId) -> VenueTried:
        """Return a trial with what the venue says of the key that withdraws there."""
        if venue not in self._transfers.sources:
            return tried
        rights = await self._transfers.rights(venue)
        if isinstance(rights, str):
            line = TriedLine(is_so=False, text=rights)
            return msgspec.structs.replace(tried, lines=(*tried.lines, line))
        is_vouched = venue in self._transfers.vouched
        why = why_no_withdrawing_key(rights, is_vouched=is_vouched)
        line = TriedLine(is_so=not why, text=why or "the withdraw key withdraws, and trades not")
        return msgspec.structs.replace(tried, lines=(*tried.lines, line), withdraw_rights=rights)

    def _order(self, asked: GetTransferTerms) -> TransferOrder | str:
        """Return the terms, or why there are none."""
        asset, rules = AssetCode(asked.asset), self._rules
        to = [
            one
            for one in destinations_of(rules.allowed, venue=VenueId(asked.target), asset=asset)
            if asked.chain in ("", one.chain)
        ]
        if not to:
            return (
                f"no address for {asset} at {asked.target[:20]} is written down:"
                f" SYNDICATE_EXCHANGES_DESTINATIONS={asked.target[:20]}/{asset}/CHAIN=ADDRESS"
            )
        if len(to) > 1:
            return f"by which chain? {', '.join(one.chain for one in to)}"
        test = rules.test.get(asset, Decimal(0))
        if why := self._why_not_so_much(asked.amount, asset):
            return why
        try:
            return TransferOrder(
                transfer_id=UNNAMED,
                asset=asset,
                source=VenueId(asked.source),
                destination=to[0],
                amount=asked.amount,
                test_amount=min(test, asked.amount),
                delay_ns=rules.delay_ns,
            )
        except BadValueError as error:
            return str(error)

    def _why_not_so_much(self, amount: Decimal, asset: AssetCode) -> str:
        most = self._rules.each.get(asset, Decimal(0))
        if amount > most:
            return f"one transfer of {asset} may be {plain(most)}: SYNDICATE_TRANSFERS_EACH"
        if self._rules.test.get(asset, Decimal(0)) <= 0:
            return f"nothing says how much of {asset} goes first: SYNDICATE_TRANSFERS_TEST"
        if amount != round(amount, DECIMALS_MAX):
            return f"{amount:f} has more than {DECIMALS_MAX} decimals"
        return ""

    def _free(self, source: str, asset: str) -> Decimal | None:
        at = self._transfers.venues.get(VenueId(source))
        if at is None or not at.standing.checked_at_ns:
            return None
        return next((one.free for one in at.standing.held if one.asset == asset), Decimal(0))

    def _line(self, kept: KeptTransfer) -> TransferLine:
        sends = kept.life.sends.values()
        return TransferLine(
            order=kept.life.order,
            by=kept.by,
            state=kept.life.state,
            taken_on_ns=kept.taken_on_ns,
            due_ns=kept.due_ns,
            under_way=kept.life.under_way,
            arrived=exact_sum(one.credited for one in sends),
            cost=exact_sum(one.cost for one in sends),
            unknown_since_ns=kept.unknown_since_ns,
            waits=self._transfers.waits.get(kept.transfer_id, ""),
            is_open=not kept.ended_ns,
            news=kept.news,
        )
