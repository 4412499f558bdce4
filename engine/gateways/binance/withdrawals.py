"""Binance's withdrawals and deposits: wallet documents, "capital".

The fee is taken from the amount. Our own id is listed again, but nobody says that a second one with
it is refused: so nothing is sent twice.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.withdrawals import (
    DepositShown,
    WithdrawalRequest,
    WithdrawalShown,
    WithdrawalStage,
)
from engine.gateways.answers import NotPlaced, Page, Stop, Unclear, unclear
from engine.gateways.binance.messages import Error
from engine.gateways.binance.stream import RECV_WINDOW_MS, VENUE
from engine.gateways.calls import Call, CallKind
from engine.gateways.wire import STATUS_OK, decoded, known, plain, read
from engine.gateways.withdrawing import WithdrawalAnswer, WithdrawalProof, WithdrawalTaken

_PROCESSING_MS_MAX: Final = 10_000
_PAGE: Final = 1_000
_MS_PER_S: Final = 1_000
_STATUS_REFUSED: Final = frozenset({400, 401, 403, 429})

_REFUSED: Final[Mapping[int, Stop | None]] = {
    -1021: None,
    -1022: Stop.KEY,
    -2014: Stop.KEY,
    -2015: Stop.KEY,
    -4003: None,
    -4005: None,
    -4006: None,
    -4019: None,
    -4021: None,
    -4026: None,
    -4104: None,
    -1102: None,
}
"""Definite refusals: time, signature, key; size, asset, balance, address off the list."""

_STAGES: Final[Mapping[str, WithdrawalStage]] = {
    "0": WithdrawalStage.PENDING,
    "1": WithdrawalStage.BACK,
    "2": WithdrawalStage.PENDING,
    "3": WithdrawalStage.BACK,
    "4": WithdrawalStage.PENDING,
    "5": WithdrawalStage.BACK,
    "6": WithdrawalStage.SENT,
}
_CREDITED: Final = frozenset({1, 6})
"""6 may be traded with, and not be withdrawn yet."""


class _Taken(msgspec.Struct):
    id: str


class _Withdrawal(msgspec.Struct, rename="camel"):
    id: str
    amount: Decimal
    transaction_fee: Decimal
    coin: str
    status: int
    address: str
    apply_time: str
    tx_id: str = ""
    withdraw_order_id: str = ""
    info: str = ""


class _Deposit(msgspec.Struct, rename="camel"):
    id: str
    amount: Decimal
    coin: str
    status: int
    address: str
    tx_id: str
    insert_time: int


class BinanceWithdrawals:
    """Obeys `Withdrawing`."""

    venue = VENUE
    proof = WithdrawalProof(
        has_own_id=True,
        is_fenced=False,
        late_ms_max=RECV_WINDOW_MS + 1_000 + _PROCESSING_MS_MAX,
    )
    networks: Mapping[str, str] = {
        "ethereum": "ETH",
        "base": "BASE",
        "arbitrum": "ARBITRUM",
        "optimism": "OPTIMISM",
        "bnb": "BSC",
        "polygon": "MATIC",
        "bitcoin": "BTC",
        "solana": "SOL",
        "ripple": "XRP",
    }
    needs_name = False

    def withdraw(self, request: WithdrawalRequest) -> Call:
        """See `Withdrawing.withdraw`."""
        network = self.networks.get(request.to.chain)
        if network is None:
            raise BadValueError(f"binance is not asked to send on {request.to.chain[:20]}")
        fields: dict[str, object] = {
            "coin": request.asset,
            "network": network,
            "address": request.to.address,
            "amount": plain(request.amount),
            "withdrawOrderId": request.wire_id,
        }
        if request.to.memo:
            fields["addressTag"] = request.to.memo
        return self._call(CallKind.WITHDRAW, "POST", "/sapi/v1/capital/withdraw/apply", 6.0, fields)

    def withdrawn(self, request: WithdrawalRequest, status: int, body: bytes) -> WithdrawalAnswer:
        """See `Withdrawing.withdrawn`."""
        del request
        if status == STATUS_OK:
            taken = decoded(body, _Taken)
            if taken is None or not taken.id:
                return unclear(status, body, "another shape")
            return WithdrawalTaken(venue_id=taken.id)
        error = decoded(body, Error)
        if error is None or status not in _STATUS_REFUSED or error.code not in _REFUSED:
            return unclear(status, body)
        return NotPlaced(code=str(error.code), why=error.msg, stop=_REFUSED[error.code])

    def withdrawals(self, asset: AssetCode, since_ms: int) -> Call:
        """See `Withdrawing.withdrawals`."""
        fields = {"coin": asset, "startTime": str(since_ms), "limit": _PAGE}
        path = "/sapi/v1/capital/withdraw/history"
        return self._call(CallKind.WITHDRAWALS, "GET", path, 20.0, fields)

    def withdrawals_page(self, status: int, body: bytes) -> Page[WithdrawalShown] | Unclear:
        """See `Withdrawing.withdrawals_page`."""

        def page(listed: list[_Withdrawal]) -> Page[WithdrawalShown]:
            items = tuple(map(_shown, listed))
            return Page(items=items, following="more" if len(listed) >= _PAGE else "")

        return read(status, body, list[_Withdrawal], page)

    def deposits(self, asset: AssetCode, since_ms: int) -> Call:
        """See `Withdrawing.deposits`."""
        fields = {"coin": asset, "startTime": str(since_ms), "limit": _PAGE}
        path = "/sapi/v1/capital/deposit/hisrec"
        return self._call(CallKind.DEPOSITS, "GET", path, 20.0, fields)

    def deposits_page(self, status: int, body: bytes) -> Page[DepositShown] | Unclear:
        """See `Withdrawing.deposits_page`."""

        def page(listed: list[_Deposit]) -> Page[DepositShown]:
            items = tuple(map(_came, listed))
            return Page(items=items, following="more" if len(listed) >= _PAGE else "")

        return read(status, body, list[_Deposit], page)

    def balance_name(self, asset: AssetCode) -> str:
        """See `Withdrawing.balance_name`."""
        return asset

    def _call(
        self, kind: CallKind, method: str, path: str, weight: float, fields: Mapping[str, object]
    ) -> Call:
        return Call(venue=VENUE, kind=kind, method=method, path=path, weight=weight, fields=fields)


def _shown(one: _Withdrawal) -> WithdrawalShown:
    return WithdrawalShown(
        venue_id=one.id,
        wire_id=one.withdraw_order_id,
        asset=AssetCode(one.coin),
        address=one.address,
        amount=one.amount,
        fee=one.transaction_fee,
        stage=known(_STAGES, str(one.status), "status"),
        tx_id=one.tx_id,
        at_ms=_at_ms(one.apply_time),
        why=one.info[:200],
    )


def _at_ms(text: str) -> int:
    """Read a time as the venue writes it: ``2026-11-30 08:00:00``, UTC."""
    at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    return int(at.timestamp()) * _MS_PER_S


def _came(one: _Deposit) -> DepositShown:
    return DepositShown(
        venue_id=one.id,
        asset=AssetCode(one.coin),
        address=one.address,
        amount=one.amount,
        tx_id=one.tx_id,
        is_credited=one.status in _CREDITED,
        at_ms=one.insert_time,
    )
