"""An engine and a ledger made of plain values, behind the facade's port.

The ledger's part (inbox, notices) outlives a front-end, as the real one does: a second front-end
over the same object sees what the first one stored.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from engine.bus.allowances import GetAllowances, RevokeAllowance
from engine.bus.command import LOOSENS
from engine.bus.notices import Notice, StampedNotice
from engine.bus.reports import (
    Acknowledged,
    Declined,
    ExportReport,
    InboxItems,
    InboxStored,
    Kept,
    KeptReport,
    KillPath,
    KillReport,
    NoticesReport,
    Report,
    StatusReport,
    Thread,
    ThreadsReport,
    Unknown,
)
from engine.bus.request import LedgerRequest, Request
from engine.bus.trading import CancelVenueOrders, GetVenueOrders
from engine.bus.transferring import CancelTransfer, GetTransfers, GetTransferTerms
from engine.bus.truths import GetTruths
from engine.bus.work_reports import WorkDone
from engine.domain.approvals import ApprovalAct
from engine.domain.delays import Delayed
from engine.domain.errors import TransientError
from engine.domain.modes import Mode, Money, is_upward
from engine.domain.performance import Sums
from engine.requests.alerts import ActOnAlerts, TellMetrics
from engine.requests.approvals import (
    AnswerApproval,
    GetApprovals,
    GetMandates,
    GetWaiting,
    GrantMandate,
    RevokeMandate,
)
from engine.requests.audit import GetAudit
from engine.requests.balance import GetBalance
from engine.requests.chains import GetChains, GetPools
from engine.requests.chat import (
    DoneInbox,
    DoneNotices,
    GetKept,
    GetNotices,
    GetThreads,
    PinThread,
    PutInbox,
    TakeInbox,
)
from engine.requests.discoveries import (
    CountDiscoveries,
    GetDiscoveries,
    GetDiscovery,
    GetSimilar,
)
from engine.requests.fees import GetFees, SetFee
from engine.requests.flatten import CloseLeftovers, GetClosings
from engine.requests.gas import GetGas
from engine.requests.health import GetHealth, GetIncident, GetIncidents, GetUse, LookAtPlaces
from engine.requests.hooked import TakeHooked, TellHooks
from engine.requests.inventory import GetInventoryPast, GetRebalancing
from engine.requests.kills import DrillKill, GetAftermath
from engine.requests.life import GetExposure, GetLife
from engine.requests.limits import SetLimit
from engine.requests.money import GetExport, GetPnl, GetTrades
from engine.requests.overview import (
    GetLimits,
    GetOpportunities,
    GetQuotes,
    GetSpreads,
    GetStatus,
    GetVenues,
    GetVersion,
)
from engine.requests.performance import GetBooks, GetPerformance
from engine.requests.places import GetPlaces, SwitchOff, SwitchOn
from engine.requests.presence import ChatSees, PromptShown, SignOfLife
from engine.requests.safety import (
    CancelDelayed,
    Kill,
    Pause,
    ResetBalance,
    Resume,
    SetMode,
    Unkill,
)
from engine.requests.settings import AdoptSettings, GetSettings
from engine.requests.token import GetToken
from engine.requests.transactions import (
    GetContracts,
    GetTransactions,
    PauseContract,
    UnpauseContract,
)
from engine.requests.transfers import BeginTransfer
from engine.requests.venue_accounts import TakeAccount
from engine.requests.wallets import GetWallets
from engine.requests.why import GetWhy
from engine.requests.work import GetResources, GetTask, GetWork, RunTask, SwitchTask
from tests.bot import (
    chain_samples,
    discovery_samples,
    health_samples,
    order_samples,
    samples,
    sending_samples,
    token_samples,
    transfer_samples,
    work_samples,
)
from tests.patience import PATIENCE_S

CODE = "123456"
_CSV = b"id,profit_usd\r\n1,0.42\r\n"

SAID = {
    ApprovalAct.APPROVE: "approved, and on its way",
    ApprovalAct.REJECT: "rejected",
    ApprovalAct.HALVE: "half of it is asked for, if that pays",
    ApprovalAct.SNOOZE: "this route is not asked for 15 min",
}


class FakeFacade:
    """Obeys `engine.facade.engine.Facade`.

    Attributes:
        asked: every command, in the order in which it arrived.
        effects: what changed the state, in order.
        gates: commands of these types wait for their event.
        has_authenticator: what loosens takes a code.
        is_ledger_away, is_engine_away: the role raises `TransientError`.
        hooks: answers what webhooks hand over.
    """

    def __init__(self) -> None:
        self.has_authenticator = False
        self.delayed: tuple[Delayed, ...] = ()
        self.mode = Mode.OBSERVE
        self.is_killed = False
        self.is_paused = False
        self.is_ledger_away = False
        self.is_engine_away = False
        self.asked: list[Request[Any]] = []
        self.effects: list[str] = []
        self.gates: dict[type, asyncio.Event] = {}
        self.entered: Counter[type] = Counter()
        self.inbox: dict[int, bytes] = {}
        self.done: set[int] = set()
        self.boxes = {"telegram": (self.inbox, self.done)}
        self.stored: list[StampedNotice] = []
        self.delivered: dict[str, int] = {}
        self.threads: dict[tuple[str, str], Thread] = {}
        self.states: dict[tuple[str, str], bytes] = {}
        self.used_codes: set[str] = set()
        self.export = ExportReport(file_name="trades.csv", content=_CSV, rows=1)
        self.why = samples.why()
        self.what_waits = samples.approvals()
        self.books = samples.books()
        self.performance: dict[str, Any] = {}
        self.sent = Sums()
        self._changed = asyncio.Event()
        self.hooks: Callable[[Request[Any]], Awaitable[Any]] | None = None

    async def ask(self, command: Request[Any], /) -> Any:
        """Carry out a command."""
        if self.hooks is not None and isinstance(command, TakeHooked | TellHooks):
            return await self.hooks(command)
        self.asked.append(command)
        if isinstance(command, Kill):
            self.is_killed = True
            of = f" of {command.engine}" if command.engine else ""
            self.effects.append(f"kill{of} {command.why}")
        self.entered[type(command)] += 1
        self.notify()
        if (gate := self.gates.get(type(command))) is not None:
            await gate.wait()
        if self.is_ledger_away and isinstance(command, LedgerRequest):
            raise TransientError("the ledger is away; it is being started again")
        if self.is_engine_away and not isinstance(command, LedgerRequest):
            raise TransientError("the engine is away; it is being started again")
        if isinstance(command, GetNotices) and command.after_seq is not None and command.wait_ms:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(command.wait_ms / 1_000):
                    while command.after_seq >= len(self.stored):
                        await self._changed.wait()
        report = self._answer(command)
        self.notify()
        return report

    async def notices(self, *, reader: str) -> AsyncIterator[StampedNotice]:
        """Stream notices after the last that `reader` confirmed."""
        after = self.delivered.get(reader, 0)
        while True:
            while self.is_ledger_away or not any(s.seq > after for s in self.stored):
                await self._changed.wait()
            for stamped in [s for s in self.stored if s.seq > after]:
                yield stamped
                after = stamped.seq

    def tell(self, *notices: Notice) -> None:
        """Store notices."""
        for notice in notices:
            self.stored.append(StampedNotice(seq=len(self.stored) + 1, notice=notice))
        self.notify()

    def count(self, kind: type) -> int:
        """Return how many commands of a type arrived."""
        return sum(isinstance(command, kind) for command in self.asked)

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_until_entered(self, kind: type, count: int) -> None:
        """Wait until so many commands of a type have arrived."""
        async with asyncio.timeout(PATIENCE_S):
            while self.entered[kind] < count:
                await self._changed.wait()

    def undone(self, source: str = "telegram") -> list[int]:
        """Return update ids that were stored and not finished."""
        inbox, done = self.box(source)
        return sorted(set(inbox) - done)

    def box(self, source: str) -> tuple[dict[int, bytes], set[int]]:
        """Return what a bot stored, and what of it is done; each bot numbers its own updates."""
        return self.boxes.setdefault(source, ({}, set()))

    def _answer(self, command: Request[Any]) -> Report:  # noqa: C901, PLR0911, PLR0912, PLR0915 - one table
        match command:
            case Kill():
                done = KillPath(is_done=True, text="Killed")
                return KillReport(engine=done, latch_file=done, ledger=done, of=command.engine)
            case Pause():
                self.is_paused = True
                self.effects.append("pause")
                return self._acknowledged("Paused")
            case Resume():
                self.is_paused = False
                self.effects.append("resume")
                return self._acknowledged("Resumed")
            case Unkill():
                return self._unkill(command)
            case SetMode():
                return self._set_mode(command)
            case CancelDelayed():
                self.delayed = ()
                self.effects.append("cancel")
                return self._acknowledged("cancelled, nothing waits any more")
            case SetLimit():
                if command.value > 500 and (lacks := self._lacks(command)) is not None:
                    return lacks
                self.effects.append(f"limit {command.name} {command.value:f}")
                return self._acknowledged(f"{command.name} is {command.value:f}")
            case TellMetrics():
                self.tell(*command.told.values())
                return InboxStored()
            case GetPlaces():
                return samples.places(command.kind)
            case GetSettings():
                return samples.settings()
            case AdoptSettings():
                if (lacks := self._lacks(command)) is not None:
                    return lacks
                self.effects.append("settings")
                return self._acknowledged("settings: daily_loss_usd 500 to 800 USD")
            case GetFees():
                return samples.fees()
            case SetFee():
                return self._set_fee(command)
            case SwitchOff() | SwitchOn():
                return self._switch(command)
            case AnswerApproval():
                self.effects.append(f"{command.said} {command.nonce}")
                return self._acknowledged(SAID[command.said])
            case GetApprovals():
                return self.what_waits
            case GetWaiting():
                return samples.waiting()
            case GetMandates():
                return samples.mandates()
            case GrantMandate():
                if not command.is_confirmed:
                    return Declined(why="no trade is asked for", needs_confirmation=True)
                self.effects.append(f"mandate {command.total_usd_max:f}")
                return self._acknowledged("mandate m1 holds")
            case RevokeMandate():
                self.effects.append(f"revoke {command.mandate_id}")
                return self._acknowledged("1 mandates revoked")
            case GetStatus():
                return self._status()
            case GetVenues():
                return samples.venues()
            case GetOpportunities():
                return samples.opportunities(command.limit, is_newest_first=command.is_newest_first)
            case GetWhy():
                known = command.ref == "r7-12"
                return self.why if known else Unknown(what=f"opportunity {command.ref}")
            case GetLimits():
                return samples.limits()
            case GetQuotes():
                return samples.quotes()
            case GetSpreads():
                return samples.spreads()
            case GetBalance():
                return samples.balance()
            case ResetBalance():
                return self._reset_balance(command)
            case GetVersion():
                return samples.version()
            case GetTrades():
                return samples.trades(command.limit)
            case GetPnl():
                return samples.pnl()
            case GetToken():
                return token_samples.tokens(command.name)
            case GetClosings():
                return samples.closings()
            case CloseLeftovers():
                self.effects.append(f"close {len(command.closings)}")
                return self._acknowledged("1 orders on their way, each is told at its end")
            case GetExposure():
                return samples.exposure()
            case GetGas():
                return samples.gas()
            case GetDiscoveries():
                return discovery_samples.found(command)
            case GetDiscovery():
                return discovery_samples.one(command.seq)
            case GetSimilar():
                return discovery_samples.similar(command.seq)
            case CountDiscoveries():
                return discovery_samples.counts()
            case GetChains():
                return chain_samples.chains()
            case GetPools():
                return chain_samples.pools(command)
            case GetLife():
                known = command.ref in {"", "r7-12"}
                return samples.life() if known else Unknown(what=f"trade {command.ref}")
            case GetPerformance():
                came = replace(samples.performance(command.by), **self.performance)
                is_paper = command.money is Money.PAPER
                return came if is_paper else replace(came, all=self.sent, money=command.money)
            case GetInventoryPast():
                return samples.inventory_past(command)
            case GetRebalancing():
                return samples.rebalancing()
            case GetBooks():
                return self.books
            case DrillKill():
                return samples.drill()
            case GetAftermath():
                return samples.aftermath(is_killed=self.is_killed)
            case SignOfLife() | ChatSees() | PromptShown():
                return self._acknowledged("noted")
            case GetAudit():
                return samples.audit()
            case GetExport():
                return self.export
            case GetWork():
                return work_samples.work()
            case GetTask():
                return work_samples.task(command.name)
            case RunTask():
                self.effects.append(f"run {command.name}")
                return work_samples.run(command.name)
            case SwitchTask():
                self.effects.append(f"{command.name} {'on' if command.is_on else 'off'}")
                return work_samples.switched(command.name, is_on=command.is_on)
            case GetResources():
                return work_samples.resources()
            case GetHealth():
                return health_samples.health()
            case LookAtPlaces():
                return health_samples.seen()
            case GetUse():
                return health_samples.use()
            case GetIncidents():
                return health_samples.incidents()
            case GetIncident():
                return health_samples.incident(command.number)
            case GetWallets():
                return sending_samples.wallets()
            case CancelVenueOrders():
                self.effects.append("cancel orders")
                return WorkDone(text="0 withheld, 1 being cancelled")
            case TakeAccount():
                if not command.is_confirmed:
                    why = f"orders go to {command.venue} again, and that"
                    return Declined(why=f"{why} needs a confirmation", needs_confirmation=True)
                self.effects.append(f"adopt {command.venue}")
                return WorkDone(text=f"{command.venue} goes on once it was compared anew")
            case GetTransfers():
                return transfer_samples.transfers()
            case GetTransferTerms():
                return transfer_samples.terms(command)
            case BeginTransfer():
                if not command.is_confirmed:
                    why = "bringing 0.5 BTC from kraken to binance"
                    return Declined(why=f"{why} needs a confirmation", needs_confirmation=True)
                self.effects.append(f"transfer {command.order.amount:f} {command.order.asset}")
                return WorkDone(text="transfer t4f09a1c2b is allowed, its test goes in 600 s")
            case CancelTransfer():
                self.effects.append(f"cancel transfer {command.transfer_id}")
                return WorkDone(text=f"{command.transfer_id}: nothing more of it is sent")
            case GetVenueOrders():
                return order_samples.orders(command.client_order_id)
            case GetTransactions():
                return sending_samples.transactions()
            case GetContracts():
                return sending_samples.contracts()
            case GetAllowances():
                return sending_samples.allowances()
            case RevokeAllowance():
                self.effects.append(f"revoke {command.line.symbol} {command.line.spender}")
                return WorkDone(text=f"{command.chain}: revoking by 0x12ab")
            case GetTruths():
                return sending_samples.truths(command.limit)
            case PauseContract():
                self.effects.append(f"pause contract {command.chain}")
                return WorkDone(text=f"{command.chain}: pausing by 0x12ab")
            case UnpauseContract():
                if not command.is_confirmed:
                    why = f"the contract on {command.chain} takes routes again and"
                    return Declined(why=f"{why} needs a confirmation", needs_confirmation=True)
                self.effects.append(f"unpause contract {command.chain}")
                return WorkDone(text=f"{command.chain}: unpausing by 0x12ac")
        return self._answer_chat(command)

    def _answer_chat(self, command: Request[Any]) -> Report:  # noqa: C901, PLR0911 - one table
        match command:
            case PutInbox():
                inbox, _ = self.box(command.source)
                new = [number for number, _ in command.updates if number not in inbox]
                inbox.update({number: raw for number, raw in command.updates if number in new})
                return InboxStored(new_ids=new)
            case TakeInbox():
                return InboxItems(
                    updates=[
                        (n, self.box(command.source)[0][n]) for n in self.undone(command.source)
                    ]
                )
            case DoneInbox():
                self.box(command.source)[1].update(command.update_ids)
                return InboxStored()
            case GetNotices():
                after = command.after_seq
                return NoticesReport(
                    notices=[] if after is None else self.stored[after : after + command.limit],
                    delivered_seq=self.delivered.get(command.reader, 0),
                    newest_seq=len(self.stored),
                )
            case DoneNotices():
                self.delivered[command.reader] = max(
                    command.seq, self.delivered.get(command.reader, 0)
                )
                self.threads.update({(command.chat, one.name): one for one in command.threads})
                self._keep(command)
                return InboxStored()
            case PinThread():
                pinned = Thread(name=command.name, message_id=command.message_id)
                self.threads[command.chat, command.name] = pinned
                return InboxStored()
            case ActOnAlerts():
                self.tell(command.act)
                return InboxStored()
            case GetKept():
                kept = [
                    (name, v) for (chat, name), v in self.states.items() if chat == command.chat
                ]
                return KeptReport(states=[Kept(name=n, value=v) for n, v in kept])
            case GetThreads():
                of = [one for (chat, _), one in self.threads.items() if chat == command.chat]
                return ThreadsReport(threads=of)
            case ActOnAlerts():
                self.tell(command.act)
                return InboxStored()
            case GetKept():
                kept = [(n, v) for (chat, n), v in self.states.items() if chat == command.chat]
                return KeptReport(states=[Kept(name=n, value=v) for n, v in kept])
        raise AssertionError(f"{type(command).__name__} is not for a front-end")

    def _keep(self, command: DoneNotices) -> None:
        for one in command.states:
            if one.value is None:
                self.states.pop((command.chat, one.name), None)
            else:
                self.states[command.chat, one.name] = one.value

    def _unkill(self, command: Unkill) -> Report:
        if command.code != CODE or command.code in self.used_codes:
            return Declined(why="the code is wrong or was used")
        self.used_codes.add(command.code)
        self.is_killed = False
        self.effects.append("unkill")
        return self._acknowledged("The kill latch is cleared")

    def _set_mode(self, command: SetMode) -> Report:
        if command.only_tightens and is_upward(current=self.mode, wanted=command.mode):
            return Declined(why=LOOSENS)
        if command.mode is Mode.PAPER and self.mode is Mode.OBSERVE:
            lacks = self._lacks(
                command, why="paper plans and simulates trades; no real money moves"
            )
            if lacks is not None:
                return lacks
        self.mode = command.mode
        self.effects.append(f"mode {command.mode}")
        return self._acknowledged(f"Mode is {command.mode}")

    def _lacks(
        self,
        command: SetMode | SetLimit | SwitchOn | SetFee | AdoptSettings,
        *,
        why: str = "that lets more through",
    ) -> Declined | None:
        if not isinstance(command, SwitchOn | AdoptSettings) and command.only_tightens:
            return Declined(why=LOOSENS)
        if not command.is_confirmed or (self.has_authenticator and command.code is None):
            return Declined(
                why=why,
                needs_confirmation=True,
                needs_code=self.has_authenticator,
            )
        if self.has_authenticator and command.code != CODE:
            return Declined(why="the code is wrong")
        return None

    def _switch(self, command: SwitchOff | SwitchOn) -> Report:
        if command.name == "gemin":
            return Declined(why="no venue gemin in this run", nearest="gemini")
        if isinstance(command, SwitchOn) and (lacks := self._lacks(command)) is not None:
            return lacks
        state = "on" if isinstance(command, SwitchOn) else "off"
        self.effects.append(f"{command.kind} {command.name} {state}")
        return self._acknowledged(f"{command.kind} {command.name} {state}")

    def _set_fee(self, command: SetFee) -> Report:
        is_lower = command.bps is None or command.bps < samples.FEE_BPS
        if is_lower and (lacks := self._lacks(command)) is not None:
            return lacks
        to = "reset" if command.bps is None else f"{command.bps:f}"
        self.effects.append(f"fee {command.venue} {to}")
        return self._acknowledged(f"fee {command.venue} {to} bps")

    def _reset_balance(self, command: ResetBalance) -> Report:
        if not command.is_confirmed:
            return Declined(why="every venue's paper money is set back", needs_confirmation=True)
        self.effects.append("balance reset")
        return self._acknowledged("Paper money is set back to its start")

    def _acknowledged(self, text: str) -> Acknowledged:
        return Acknowledged(
            text=text, is_killed=self.is_killed, is_paused=self.is_paused, mode=self.mode
        )

    def _status(self) -> StatusReport:
        status = samples.status(mode=self.mode, is_killed=self.is_killed, is_paused=self.is_paused)
        return replace(status, delayed=self.delayed)
