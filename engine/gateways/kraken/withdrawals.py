"""Kraken's withdrawals and deposits.

It keeps no id of ours: a withdrawal is found again by asset, address, amount and time. Its numbers
must rise, so a later call of the same key shuts out what was signed before. Addresses are known by
the names that were given to them there; the address is sent beside it, to be compared.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.withdrawals import (
    DepositShown,
    WithdrawalRequest,
    WithdrawalShown,
    WithdrawalStage,
)
from engine.gateways.answers import NotPlaced, Page, Stop, Unclear, unclear
from engine.gateways.asset_names import asset_of
from engine.gateways.calls import Call, CallKind
from engine.gateways.kraken import messages
from engine.gateways.kraken.stream import VENUE
from engine.gateways.wire import STATUS_OK, decoded, known, plain, read
from engine.gateways.withdrawing import WithdrawalAnswer, WithdrawalProof, WithdrawalTaken

_ROOT: Final = "/0/private"
_MS_PER_S: Final = 1_000
_PAGE: Final = 500

One = TypeVar("One")

_REFUSED: Final[Mapping[str, Stop | None]] = {
    "EAPI:Invalid key": Stop.KEY,
    "EAPI:Invalid signature": Stop.KEY,
    "EAPI:Invalid nonce": None,
    "EGeneral:Permission denied": Stop.KEY,
    "EGeneral:Invalid arguments": None,
    "EFunding:Unknown withdraw key": None,
    "EFunding:Invalid amount": None,
    "EFunding:Insufficient funds": None,
    "EFunding:Unknown asset": None,
    "EFunding:Max fee exceeded": None,
    "EFunding:Address mismatch": None,
    "EFunding:Too small amount": None,
}
_STAGES: Final[Mapping[str, WithdrawalStage]] = {
    "Initial": WithdrawalStage.PENDING,
    "Pending": WithdrawalStage.PENDING,
    "Settled": WithdrawalStage.PENDING,
    "Success": WithdrawalStage.SENT,
    "Failure": WithdrawalStage.BACK,
}
_BACK: Final = frozenset({"canceled", "return"})
_CREDITED: Final = "Success"


class _Taken(msgspec.Struct):
    refid: str


class _Moved(msgspec.Struct):
    """A withdrawal or a deposit; `info` is the address."""

    asset: str
    refid: str
    info: str
    amount: Decimal
    time: float
    status: str
    txid: str | None = None
    fee: Decimal = Decimal(0)
    prop: str | None = msgspec.field(name="status-prop", default=None)


class KrakenWithdrawals:
    """Obeys `Withdrawing`."""

    venue = VENUE
    # Without a latest time of its own nothing but the next number shuts it out.
    proof = WithdrawalProof(has_own_id=False, is_fenced=True, late_ms_max=60_000)
    networks: Mapping[str, str] = {
        name: name
        for name in (
            *("ethereum", "base", "arbitrum", "optimism", "bnb", "polygon"),
            *("bitcoin", "solana", "ripple"),
        )
    }
    """A name stands for an address on one network: the venue is told no other word for it."""
    needs_name = True

    def withdraw(self, request: WithdrawalRequest) -> Call:
        """See `Withdrawing.withdraw`."""
        if not request.named:
            raise BadValueError(
                "kraken sends to an address by the name that you gave it there:"
                f" SYNDICATE_TRANSFERS_NAMES=kraken/{request.to.venue}/{request.asset}/"
                f"{request.to.chain}=NAME"
            )
        fields = {
            "asset": self.balance_name(request.asset),
            "key": request.named,
            "address": request.to.address,
            "amount": plain(request.amount),
        }
        return self._call(CallKind.WITHDRAW, "/Withdraw", fields)

    def withdrawn(self, request: WithdrawalRequest, status: int, body: bytes) -> WithdrawalAnswer:
        """See `Withdrawing.withdrawn`."""
        del request
        error = _error(status, body)
        if error in _REFUSED:
            return NotPlaced(code=error, why=error.partition(":")[2], stop=_REFUSED[error])
        if error:
            return Unclear(why=error)
        taken = read(status, body, messages.Answered[_Taken], lambda one: one.result.refid)
        if isinstance(taken, Unclear):
            return taken
        return WithdrawalTaken(venue_id=taken) if taken else unclear(status, body, "no id")

    def withdrawals(self, asset: AssetCode, since_ms: int) -> Call:
        """See `Withdrawing.withdrawals`."""
        return self._listing(CallKind.WITHDRAWALS, "/WithdrawStatus", asset, since_ms)

    def withdrawals_page(self, status: int, body: bytes) -> Page[WithdrawalShown] | Unclear:
        """See `Withdrawing.withdrawals_page`."""

        def page(told: messages.Answered[list[_Moved]]) -> Page[WithdrawalShown]:
            items = tuple(map(_shown, told.result))
            return Page(items=items, following="more" if len(items) >= _PAGE else "")

        return _read(status, body, page)

    def deposits(self, asset: AssetCode, since_ms: int) -> Call:
        """See `Withdrawing.deposits`."""
        return self._listing(CallKind.DEPOSITS, "/DepositStatus", asset, since_ms)

    def deposits_page(self, status: int, body: bytes) -> Page[DepositShown] | Unclear:
        """See `Withdrawing.deposits_page`."""

        def page(told: messages.Answered[list[_Moved]]) -> Page[DepositShown]:
            items = tuple(map(_came, told.result))
            return Page(items=items, following="more" if len(items) >= _PAGE else "")

        return _read(status, body, page)

    def balance_name(self, asset: AssetCode) -> str:
        """See `Withdrawing.balance_name`."""
        return "XBT" if asset == "BTC" else asset

    def _listing(self, kind: CallKind, path: str, asset: AssetCode, since_ms: int) -> Call:
        since_s = str(max(since_ms // _MS_PER_S - 1, 0))
        fields = {"asset": self.balance_name(asset), "start": since_s, "limit": str(_PAGE)}
        return self._call(kind, path, fields)

    def _call(self, kind: CallKind, path: str, fields: Mapping[str, object]) -> Call:
        return Call(venue=VENUE, kind=kind, method="POST", path=_ROOT + path, fields=fields)


def _error(status: int, body: bytes) -> str:
    told = decoded(body, messages.Envelope) if status == STATUS_OK else None
    return told.error[0][:200] if told is not None and told.error else ""


def _read(
    status: int,
    body: bytes,
    page: Callable[[messages.Answered[list[_Moved]]], Page[One]],
) -> Page[One] | Unclear:
    if error := _error(status, body):
        return Unclear(why=error)
    return read(status, body, messages.Answered[list[_Moved]], page)


def _shown(one: _Moved) -> WithdrawalShown:
    stage = known(_STAGES, one.status, "status")
    return WithdrawalShown(
        venue_id=one.refid,
        asset=asset_of(VENUE, one.asset),
        address=one.info,
        amount=one.amount,
        fee=one.fee,
        stage=WithdrawalStage.BACK if one.prop in _BACK else stage,
        tx_id=one.txid or "",
        at_ms=int(one.time * _MS_PER_S),
        why=one.prop or "",
    )


def _came(one: _Moved) -> DepositShown:
    return DepositShown(
        venue_id=one.refid,
        asset=asset_of(VENUE, one.asset),
        address=one.info,
        amount=exact_sum((one.amount, -one.fee)),
        tx_id=one.txid or "",
        is_credited=one.status == _CREDITED and not one.prop,
        at_ms=int(one.time * _MS_PER_S),
    )
