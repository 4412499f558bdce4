"""Two venues of the sandbox with chains between them, and a trader's transfers that may be ended.

All that is real takes part but sockets and the signer's process: table, lines, comparisons, the
doors that verify. Time is a number that the test moves. The signer keeps to the signer's rule: a
part of a transfer is signed once.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.connectors.limiter import Limiter
from engine.domain.errors import TransientError
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.orders_told import VenueMatter
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.transfer_life import TransferOrder
from engine.domain.transfers import TransferMatter
from engine.domain.units import NS_PER_MS, NS_PER_S
from engine.gateways.asks import DepositsAsk, OfWithdrawals, WithdrawAsk, calls_of
from engine.gateways.calls import Call, SignedCall
from engine.gateways.venue_signing import PlanIntent, PlanSigned, VenueIntent, VenueSigned
from engine.ports import RequestBudget
from engine.sandbox.exchange.funding import Manner
from engine.sandbox.exchange.keys import withdraw_key_of
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from engine.trading.ahead import Signing
from engine.trading.answers import AtVenue, TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.checking import VenueCheck
from engine.trading.desk import VenueDesk
from engine.trading.line import Line
from engine.trading.standing import Standing
from engine.trading.transfer_answers import TransferAnswers, TransferRules
from engine.trading.transfer_desk import TransferDesk
from engine.trading.transfer_kept import KeptTransfer
from engine.trading.transfer_table import TransferTable
from engine.trading.transferring import Transfers
from engine.trading.venue_work import VenueWork
from engine.trading.wire import Reply
from tests.sandbox.exchange.funded import BTC, OTHER, Both, both, destination, name_of
from tests.sandbox.exchange.place import BEGIN_MS, asked_of
from tests.trading.orders import ENGINE
from tests.trading.work_world import EndedError

DELAY_NS = 60 * NS_PER_S
WITHDRAW = ("/sapi/v1/capital/withdraw/apply", "/0/private/Withdraw")


class Way:
    """Obeys `Wire`: a venue's door; withdrawals may be lost on the way there or back."""

    def __init__(self, world: "TransferWorld", venue: str) -> None:
        self._world = world
        self._door = world.accounts.venues[venue].place.door

    def rehearse(self, call: Call) -> None:
        """See `Wire.rehearse`."""

    async def send(self, call: SignedCall) -> Reply | str:
        world, is_out = self._world, call.target.partition("?")[0] in WITHDRAW
        lost = world.lost.pop(0) if is_out and world.lost else ""
        if lost == "request" or world.is_cut:
            return "no answer"
        if is_out:
            world.sent += 1
        self._door.advance(world.now_ms)
        answer = self._door.answer(asked_of(call), world.now_ms)
        if lost == "answer":
            return "no answer"
        if lost == "page":
            return Reply(502, b"<html>Bad Gateway</html>")
        return Reply(answer.status, answer.body)


@dataclass
class TransferWorld:
    """See the module.

    Attributes:
        lost: of the next withdrawals what is lost: request, answer, page, or nothing.
        crash: is told of each boundary; raises `EndedError` to end the process.
        asked: is told of all that is asked of the signer.
        sent: withdrawals that reached a venue.
    """

    path: Path
    source: str = "binance"
    accounts: Both = field(default_factory=both)
    now_ms: int = BEGIN_MS
    lost: list[str] = field(default_factory=list)
    crash: Callable[[str], None] = lambda _where: None
    asked: Callable[[Any], None] = lambda _ask: None
    killed: str = ""
    is_cut: bool = False
    signer_away: bool = False
    refuses: str = ""
    sent: int = 0
    signed: Counter[tuple[str, bool]] = field(default_factory=Counter)
    told: dict[tuple[str, int], tuple[TransferMatter, str]] = field(default_factory=dict)
    matters: list[tuple[VenueMatter, str]] = field(default_factory=list)
    nonce: int = 0

    def __post_init__(self) -> None:
        self.began = {
            venue: {asset: one.free for asset, one in at.place.exchange.balances.items()}
            for venue, at in self.accounts.venues.items()
        }
        self.begin()

    @property
    def target(self) -> str:
        return OTHER[self.source]

    def begin(self) -> None:
        """Begin a life of the trader on what is on disk."""
        self.book = OrderBook(self.path)
        self.at: dict[VenueId, AtVenue] = {}
        signing = Signing(sign=self.sign_together)
        self.answers = TraderAnswers(self.book, self.at, basis=Basis.SANDBOX_LIVE, signing=signing)
        table = TransferTable(self.book, crash=self._crash)
        for venue in self.accounts.venues:
            self.at[VenueId(venue)] = self._at(venue, table)
        self.transfers = Transfers(
            desk=TransferDesk(
                table=table, now_ms=lambda: self.now_ms, wall_ns=lambda: self.now_ms * NS_PER_MS
            ),
            venues=self.at,
            sources=tuple(self.accounts.venues),
            named=lambda source, to: name_of(to) if source == "kraken" else "",
            vouched=("kraken",),
            killed=lambda _engine: self.killed,
            crash=self._crash,
            tell=self._tell,
        )
        rules = TransferRules(
            allowed=[destination(one) for one in self.accounts.venues],
            each={BTC: Decimal(2)},
            test={BTC: Decimal("0.1")},
            delay_ns=DELAY_NS,
        )
        self.answers.transferring = TransferAnswers(self.transfers, rules, basis=Basis.SANDBOX_LIVE)
        self.transfers.begin()

    def restart(self) -> None:
        """End without a word and begin anew, as often as that takes."""
        while True:
            self.book.close()
            try:
                self.begin()
            except EndedError:
                continue
            return

    def order(self, number: int = 1, **changes: Any) -> TransferOrder:
        """Return one BTC to the other venue, a tenth of it first."""
        made = TransferOrder(
            transfer_id=f"t{number}",
            asset=BTC,
            source=VenueId(self.source),
            destination=destination(self.target),
            amount=Decimal(1),
            test_amount=Decimal("0.1"),
            delay_ns=DELAY_NS,
        )
        return replace(made, **changes)

    def allow(self, made: TransferOrder | None = None) -> KeptTransfer:
        """Let a person have allowed one."""
        return self.transfers.desk.take_on(made or self.order(), engine=ENGINE, by="ann")

    def kept(self, number: int = 1) -> KeptTransfer:
        found = self.transfers.desk.table.get(f"t{number}")
        assert found is not None
        return found

    async def check(self) -> None:
        """Compare both accounts with what is written, twice, so that a difference halts."""
        for one in self.at.values():
            await one.check.check()
            await one.check.check()

    async def pass_by(self, seconds: float, *, step_s: float = 5.0) -> None:
        """Let time go by, with all that is due in it; ended processes begin anew."""
        until_ms = self.now_ms + int(seconds * 1_000)
        while self.now_ms < until_ms:
            self.now_ms += int(step_s * 1_000)
            self.accounts.advance(self.now_ms)
            for one in self.at.values():
                if one.standing.unchecked:
                    await one.check.check()
            try:
                await self.transfers.step()
            except EndedError:
                self.restart()

    async def until_ended(self, number: int = 1, *, most_s: float = 3_600.0) -> KeptTransfer:
        """Let time go by until one has ended."""
        for _ in range(int(most_s / 5)):
            await self.pass_by(5)
            if self.kept(number).ended_ns:
                return self.kept(number)
        raise AssertionError(self.kept(number))

    def matters_told(self) -> list[TransferMatter]:
        return [matter for matter, _ in self.told.values()]

    def moved(self, venue: str, asset: str = "BTC") -> Decimal:
        """Return by how much an account truly changed."""
        balance = self.accounts.venues[venue].place.exchange.balances[asset]
        return balance.free - self.began[venue][asset]

    def is_halted(self) -> bool:
        return any(one.standing.halted for one in self.at.values())

    def manner(self, venue: str, *, way_in: bool = False, **fields: Any) -> None:
        """Script how the next one goes."""
        waiting = [Manner(**fields)]
        funding = self.accounts.venues[venue].funding

        def take() -> Manner:
            return waiting.pop() if waiting else Manner()

        if way_in:
            funding.manner_in = take
        else:
            funding.manner_out = take

    async def sign_together(self, intent: PlanIntent) -> PlanSigned | SignRefusal:
        """Refuse orders: none is placed here."""
        raise AssertionError(intent)

    async def sign(self, intent: VenueIntent) -> VenueSigned | SignRefusal:
        """Sign as the signer does, withdrawals with their own key."""
        await asyncio.sleep(0)
        self.asked(intent.ask)
        if self.signer_away:
            raise TransientError("the signer is away")
        at = self.accounts.venues[intent.venue]
        if isinstance(intent.ask, WithdrawAsk):
            if self.refuses:
                return SignRefusal(kind=RefusalKind.CAP, detail=self.refuses)
            key = (intent.ask.transfer_id, intent.ask.is_test)
            if self.signed[key]:
                return SignRefusal(kind=RefusalKind.REPEAT, detail="it was signed before")
            self.signed[key] += 1
        auth = at.place.auth
        if isinstance(intent.ask, OfWithdrawals):
            out = withdraw_key_of(intent.venue)
            auth = authentication_of(intent.venue, VenueKey(name=out.name, secret=out.secret))
        assert not isinstance(intent.ask, DepositsAsk) or auth is at.place.auth
        signed = []
        for call in calls_of(intent.ask, at.place.gateway):
            self.nonce += 1
            signed.append(auth.sign(call, now_ms=self.now_ms, nonce=self.nonce))
        return VenueSigned(calls=tuple(signed), signed_at_ms=self.now_ms)

    def _crash(self, where: str) -> None:
        self.crash(where)

    def _tell(self, kept: KeptTransfer, news: Any) -> None:
        key = (kept.transfer_id, kept.news.index(news))
        assert self.told.setdefault(key, (news.matter, news.what)) == (news.matter, news.what)

    def _at(self, venue: str, table: TransferTable) -> AtVenue:
        gateway = self.accounts.venues[venue].place.gateway
        budget = RequestBudget(weight_per_s=1e6, weight_burst=1e6)
        limiter = Limiter(budget, now_ns=lambda: self.now_ms * NS_PER_MS)
        line = Line(
            gateway,
            Way(self, venue),
            self.sign,
            engine=ENGINE,
            limiter=limiter,
            order_limiter=limiter,
            now_ms=lambda: self.now_ms,
        )
        standing = Standing(venue=gateway.venue)
        desk = VenueDesk(
            venue=gateway.venue,
            rules=gateway.rules,
            book=self.book,
            now_ms=lambda: self.now_ms,
            wall_ns=lambda: self.now_ms * NS_PER_MS,
            warn=lambda matter, what: self.matters.append((matter, what)),
        )
        work = VenueWork(desk=desk, line=line)
        check = VenueCheck(
            desk=desk,
            work=work,
            book=self.book,
            standing=standing,
            engine_id=ENGINE,
            is_vouched=True,
            warn=lambda matter, what: self.matters.append((matter, what)),
            swings=table.swings,
            moving=table.moving,
        )
        return AtVenue(work=work, check=check, standing=standing)
