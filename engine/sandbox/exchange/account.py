"""One account at an exchange of the sandbox, behind its door, with faults; no input or output.

What happens to it is told to everybody who listens as soon as it happened. Who carries requests and
sockets is `front`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from engine.sandbox.exchange.doors.door import Answered, Asked, Asks, Door, Refusal
from engine.sandbox.exchange.exchange import Exchange
from engine.sandbox.exchange.faults import (
    OF_A_TIME,
    AccountFault,
    AccountFaults,
    ScriptedAccountFault,
)
from engine.sandbox.exchange.funding import Funding, Manner, NotSent, Way
from engine.sandbox.exchange.model import Change, ClientIds, Life, Market, Ordered

Faults = Mapping[AccountFault, ScriptedAccountFault]
Listener = Callable[[Change], None]

PAGE: Final = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
_SHAPE: Final = b'{"status":"accepted"}'
_REFUSALS: Final = {AccountFault.BANNED: Refusal.BANNED, AccountFault.DOWN: Refusal.DOWN}
_THIRD: Final = Decimal(5)
"""So much of a third asset an account is given to pay fees with."""

_OTHERS_LOTS: Final = 10
"""So many of the least sizes somebody else trades."""


class Account:
    """The account.

    Attributes:
        door: what answers requests; its exchange has orders and balances.
        faults: that wait or hold.
        listeners: told of every change, in order.

    Args:
        door: of its venue.
        true_ms: the venue's time as it should be, since the epoch.
        now_ns: replay time.
    """

    def __init__(
        self, door: Door, *, true_ms: Callable[[], int], now_ns: Callable[[], int]
    ) -> None:
        self.door = door
        self.faults = AccountFaults()
        self.listeners: list[Listener] = []
        self._true_ms = true_ms
        self._now_ns = now_ns
        self._off_ms = 0
        self._frozen: tuple[Exchange, Funding] | None = None
        door.funding.manner_out = self._manner_out
        door.funding.manner_in = self._manner_in

    def now_ms(self) -> int:
        """Return the venue's time, as its own clock has it."""
        return self._true_ms() + self._off_ms

    @property
    def is_mute(self) -> bool:
        """Whether nothing at all is told now, to anybody who listens."""
        is_mute = self.faults.holds(AccountFault.STREAM_MUTE, self._now_ns())
        self.faults.counts[AccountFault.STREAM_MUTE] += is_mute
        return is_mute

    def advance(self) -> None:
        """Let happen what is due by itself, and tell it."""
        self.door.advance(self.now_ms())
        self._tell()

    def answer(self, asked: Asked, faults: Faults | None = None) -> Answered:
        """Answer a request, with the faults that were taken for it."""
        faults = faults or {}
        self.advance()
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        if self.door.asks(asked) is Asks.READ and self._lags():
            answer = self._answer_of_before(asked)
        elif AccountFault.IDS_AGAIN in faults:
            answer = self._answer_again(asked)
        else:
            answer = self.door.answer(asked, self.now_ms())
        self._tell()
        wrong = faults.get(AccountFault.ANSWER_WRONG)
        if wrong is not None and wrong.variant == "banned":
            return self.door.refused(Refusal.BANNED)
        return answer if wrong is None else _wrong(answer, wrong.variant)

    def commit(self, fault: ScriptedAccountFault) -> None:
        """Let a fault happen, or wait for what it hits."""
        exchange, at_ms = self.door.exchange, self.now_ms()
        match fault.fault:
            case AccountFault.KEY:
                key, form = self.door.key, fault.variant
                self.door.key = replace(
                    key,
                    is_revoked=key.is_revoked or form == "revoked",
                    may_trade=key.may_trade and form != "no_trade",
                    may_withdraw=key.may_withdraw or form == "may_withdraw",
                )
            case AccountFault.CLOCK:
                self._off_ms = int(fault.duration_s * 1_000)
            case AccountFault.FEES | AccountFault.WITHDRAWAL_FEE:
                self._change_fees(fault, at_ms)
            case AccountFault.REVERSED:
                standing = [one for one in exchange.fills if not one.is_reversed]
                if not standing:
                    return
                exchange.reverse(standing[-1], at_ms)
            case AccountFault.OTHERS:
                self._others(fault, at_ms)
            case _:
                self.faults.arm(fault, self._now_ns())
                if fault.fault is AccountFault.LAG:
                    self._frozen = exchange.frozen(), self.door.funding.frozen()
                if fault.fault not in OF_A_TIME:
                    return  # it is counted once it has hit something
        if fault.fault is not AccountFault.STREAM_MUTE:
            self.faults.counts[fault.fault] += 1
        self._tell()

    def _refusal(self) -> Answered | None:
        for fault, why in _REFUSALS.items():
            if self.faults.holds(fault, self._now_ns()):
                return self.door.refused(why)
        return None

    def _lags(self) -> bool:
        if not self.faults.holds(AccountFault.LAG, self._now_ns()):
            self._frozen = None
        return self._frozen is not None

    def _answer_of_before(self, asked: Asked) -> Answered:
        assert self._frozen is not None
        door = self.door
        now = door.exchange, door.funding
        door.exchange, door.funding = self._frozen
        try:
            return door.answer(asked, self.now_ms())
        finally:
            door.exchange, door.funding = now

    def _manner_out(self) -> Manner:
        faults = self.faults.take_withdrawal()
        held = faults.get(AccountFault.WITHDRAWAL_HELD)
        back = faults.get(AccountFault.WITHDRAWAL_BACK)
        refused = faults.get(AccountFault.WITHDRAWAL_REFUSED)
        return Manner(
            held_ms=0 if held is None else int(held.duration_s * 1_000),
            back=None if back is None else Way(back.variant),
            refused=None if refused is None else NotSent(refused.variant),
        )

    def _manner_in(self) -> Manner:
        held = self.faults.take_deposit().get(AccountFault.DEPOSIT_HELD)
        return Manner(held_ms=0 if held is None else int(held.duration_s * 1_000))

    def _answer_again(self, asked: Asked) -> Answered:
        exchange = self.door.exchange
        terms = exchange.terms
        exchange.terms = replace(terms, client_ids=ClientIds.TAKEN)
        try:
            return self.door.answer(asked, self.now_ms())
        finally:
            exchange.terms = terms

    def _change_fees(self, fault: ScriptedAccountFault, at_ms: int) -> None:
        if fault.fault is AccountFault.WITHDRAWAL_FEE:
            self.door.funding.fees[fault.asset] = fault.amount
            return
        exchange = self.door.exchange
        exchange.terms = replace(
            exchange.terms,
            taker_ratio=fault.amount,
            maker_ratio=fault.amount,
            third_asset=fault.asset,
        )
        if fault.asset:
            exchange.pay(fault.asset, _THIRD, at_ms)

    def _others(self, fault: ScriptedAccountFault, at_ms: int) -> None:
        exchange = self.door.exchange
        if fault.variant == "pay_out":
            exchange.pay(fault.asset, -fault.amount, at_ms)
            return
        market = exchange.market(fault.instrument)
        best = exchange.best_ask(fault.instrument)
        if market is None or best is None:
            return
        is_trade = fault.variant == "trade"
        price = best if is_trade else best / 2 // market.tick * market.tick
        ordered = Ordered(
            client_id="",
            wire_name=fault.instrument,
            is_buy=True,
            size=fault.amount or _small(market, price),
            price=price,
            life=Life.IMMEDIATE if is_trade else Life.UNTIL_CANCELLED,
        )
        exchange.place(ordered, at_ms, is_foreign=True)

    def _tell(self) -> None:
        exchange = self.door.exchange
        changed, exchange.changed = exchange.changed, []
        for change in changed:
            for listener in self.listeners:
                listener(change)


def _small(market: Market, price: Decimal) -> Decimal:
    """Return a size that the market takes."""
    least = max(market.size_min, market.notional_min / price, market.lot)
    return (least // market.lot + _OTHERS_LOTS) * market.lot


def _wrong(answer: Answered, form: str) -> Answered:
    if form == "page":
        return Answered(status=502, body=PAGE)
    if form == "shape":
        return Answered(status=200, body=_SHAPE)
    return Answered(status=answer.status, body=answer.body[: len(answer.body) // 2])
