"""Money that leaves an account of the sandbox, and comes to another one: by addresses, for a fee.

A venue sends to addresses on its own list alone. What it took is pending, then on its chain, and
arrives a while later where the address and the tag are an account's; else it is gone.
"""

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from engine.sandbox.exchange.addresses import CARRIED, deposit_address, deposit_tag
from engine.sandbox.exchange.exchange import Exchange

SENT_MS: Final = 500
ARRIVES_MS: Final = 500

_FEES: Final[Mapping[str, Decimal]] = {
    "BTC": Decimal("0.0001"),
    "ETH": Decimal("0.001"),
    "XRP": Decimal("0.2"),
}
_FEE: Final = Decimal("0.5")


class Way(StrEnum):
    """Where a withdrawal is."""

    PENDING = "pending"
    SENT = "sent"
    CANCELLED = "cancelled"
    FAILED = "failed"


class NotSent(StrEnum):
    """Why one was not taken."""

    FUNDS = "funds"
    ADDRESS = "address"
    AMOUNT = "amount"
    ASSET = "asset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the next one goes, by a script of faults.

    Attributes:
        held_ms: so much later it is sent, or credited.
        back: it is taken, and ends so instead of being sent.
        refused: it is not taken.
    """

    held_ms: int = 0
    back: Way | None = None
    refused: NotSent | None = None


@dataclass(slots=True, kw_only=True)
class Withdrawal:
    """One that was taken.

    Attributes:
        amount: with `fee`, as it left the account.
        due_ms: when it is sent, or comes back.
    """

    number: int
    client_id: str
    asset: str
    chain: str
    address: str
    memo: str
    amount: Decimal
    fee: Decimal
    at_ms: int
    due_ms: int
    way: Way = Way.PENDING
    back: Way | None = None
    tx_id: str = ""


@dataclass(slots=True, kw_only=True)
class Deposit:
    """One that came; it is shown before it is credited."""

    number: int
    asset: str
    chain: str
    address: str
    amount: Decimal
    tx_id: str
    at_ms: int
    due_ms: int
    is_credited: bool = False


@dataclass(slots=True)
class Funding:
    """What went out of an account and came in.

    Attributes:
        manner_out, manner_in: say how the next one goes.
        fees: by asset, of a withdrawal; more than those that are usual.
        unlisted: addresses that the venue does not send to, of all that it knows.
    """

    exchange: Exchange
    network: "Network | None" = None
    withdrawals: list[Withdrawal] = field(default_factory=list)
    deposits: list[Deposit] = field(default_factory=list)
    fees: dict[str, Decimal] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    manner_out: Callable[[], Manner] = Manner
    manner_in: Callable[[], Manner] = Manner

    @property
    def venue(self) -> str:
        """Whose account it is."""
        return self.exchange.terms.venue

    def fee(self, asset: str) -> Decimal:
        """Return what a withdrawal costs now."""
        return self.fees.get(asset, _FEES.get(asset, _FEE))

    def withdraw(self, asked: Withdrawal) -> Withdrawal | NotSent:
        """Take one, or say why not; its number and times are given here."""
        manner = self.manner_out()
        if manner.refused is not None:
            return manner.refused
        balance = self.exchange.balances.get(asked.asset)
        fee = self.fee(asked.asset)
        if balance is None or asked.asset not in CARRIED.get(asked.chain, ()):
            return NotSent.ASSET
        if asked.amount <= fee:
            return NotSent.AMOUNT
        if not self.is_listed(asked.chain, asked.address):
            return NotSent.ADDRESS
        if balance.free < asked.amount:
            return NotSent.FUNDS
        made = replace(
            asked,
            number=self.exchange.terms.first_number + len(self.withdrawals),
            fee=fee,
            due_ms=asked.at_ms + SENT_MS + manner.held_ms,
            back=manner.back,
        )
        self.withdrawals.append(made)
        self.exchange.pay(asked.asset, -asked.amount, asked.at_ms)
        return made

    def is_listed(self, chain: str, address: str) -> bool:
        """Say whether the venue sends to an address: those of other accounts, unless taken off."""
        known = self.network is not None and self.network.knows(chain, address)
        return known and address.lower() not in self.unlisted

    def advance(self, at_ms: int) -> None:
        """Let happen what is due: what is pending goes on its way, what came is credited."""
        for one in self.withdrawals:
            if one.way is Way.PENDING and at_ms >= one.due_ms:
                self._end(one, at_ms)
        for came in self.deposits:
            if not came.is_credited and at_ms >= came.due_ms:
                came.is_credited = True
                self.exchange.pay(came.asset, came.amount, at_ms)

    def come(self, sent: Withdrawal, at_ms: int) -> None:
        """Show what came in; it is credited later."""
        self.deposits.append(
            Deposit(
                number=self.exchange.terms.first_number + len(self.deposits),
                asset=sent.asset,
                chain=sent.chain,
                address=sent.address,
                amount=sent.amount - sent.fee,
                tx_id=sent.tx_id,
                at_ms=at_ms,
                due_ms=at_ms + ARRIVES_MS + self.manner_in().held_ms,
            )
        )

    def frozen(self) -> "Funding":
        """Return it as it is now."""
        return replace(
            self,
            withdrawals=[copy.copy(one) for one in self.withdrawals],
            deposits=[copy.copy(one) for one in self.deposits],
        )

    def _end(self, one: Withdrawal, at_ms: int) -> None:
        if one.back is not None:
            one.way = one.back
            self.exchange.pay(one.asset, one.amount, at_ms)
            return
        one.way = Way.SENT
        content = f"{self.venue} {one.number} {one.at_ms}".encode()
        one.tx_id = hashlib.sha256(content).hexdigest()
        if self.network is not None:
            self.network.carry(one, at_ms)


class Network:
    """All chains between the accounts of a sandbox."""

    def __init__(self) -> None:
        self._fundings: dict[str, Funding] = {}

    def join(self, funding: Funding) -> None:
        """Let an account send and be sent to."""
        self._fundings[funding.venue] = funding
        funding.network = self

    def knows(self, chain: str, address: str) -> bool:
        """Say whether an address is an account's, whosesoever."""
        return any(True for _ in self._at(chain, address))

    def named(self, name: str) -> tuple[str, str, str] | None:
        """Return chain, address and tag that a name stands for: ``binance-btc-bitcoin``."""
        for venue in self._fundings:
            for chain, assets in CARRIED.items():
                for asset in assets:
                    if name == f"{venue}-{asset}-{chain}".lower():
                        return chain, deposit_address(venue, chain), deposit_tag(venue, chain)
        return None

    def carry(self, sent: Withdrawal, at_ms: int) -> None:
        """Bring it where its address and its tag say; a wrong tag's is credited to nobody."""
        for funding in self._at(sent.chain, sent.address):
            if sent.memo == deposit_tag(funding.venue, sent.chain):
                funding.come(sent, at_ms)

    def _at(self, chain: str, address: str) -> Iterator[Funding]:
        for venue, funding in self._fundings.items():
            if chain in CARRIED and deposit_address(venue, chain).lower() == address.lower():
                yield funding
