"""Binance's withdrawals and deposits: "capital" of its wallet documents."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from engine.sandbox.exchange.doors.door import Answered, Asked
from engine.sandbox.exchange.funding import Deposit, Funding, NotSent, Way, Withdrawal

WITHDRAW: Final = "/sapi/v1/capital/withdraw/apply"
_HISTORY: Final = "/sapi/v1/capital/withdraw/history"
_DEPOSITS: Final = "/sapi/v1/capital/deposit/hisrec"
FUNDING_PATHS: Final = frozenset({WITHDRAW, _HISTORY, _DEPOSITS})

_CHAINS: Final[Mapping[str, str]] = {
    "ETH": "ethereum",
    "BASE": "base",
    "ARBITRUM": "arbitrum",
    "BTC": "bitcoin",
    "XRP": "ripple",
}
_NETWORKS: Final = {chain: name for name, chain in _CHAINS.items()}
_REFUSALS: Final = {
    NotSent.FUNDS: (-4026, "User has insufficient balance"),
    NotSent.ADDRESS: (-4104, "This address is not in the whitelist"),
    NotSent.AMOUNT: (-4003, "The amount is too small"),
    NotSent.ASSET: (-4019, "Current asset is not open for withdrawal"),
}
_STATUS: Final = {Way.PENDING: 4, Way.SENT: 6, Way.CANCELLED: 1, Way.FAILED: 5}


def answer_funding(funding: Funding, asked: Asked, at_ms: int) -> Answered:
    """Answer one of these paths; the key was looked at."""
    fields = asked.fields
    since_ms = int(fields.get("startTime", "0"))
    if asked.path == WITHDRAW:
        return _withdraw(funding, fields, at_ms)
    if asked.path == _HISTORY:
        return _ok(
            [
                _withdrawal(one)
                for one in funding.withdrawals
                if one.at_ms >= since_ms and fields.get("coin") in (None, one.asset)
            ]
        )
    return _ok(
        [
            _deposit(one)
            for one in funding.deposits
            if one.at_ms >= since_ms and fields.get("coin") in (None, one.asset)
        ]
    )


def _withdraw(funding: Funding, fields: Mapping[str, str], at_ms: int) -> Answered:
    made = funding.withdraw(
        Withdrawal(
            number=0,
            client_id=fields.get("withdrawOrderId", ""),
            asset=fields["coin"],
            chain=_CHAINS.get(fields["network"], ""),
            address=fields["address"],
            memo=fields.get("addressTag", ""),
            amount=Decimal(fields["amount"]),
            fee=Decimal(0),
            at_ms=at_ms,
            due_ms=0,
        )
    )
    if isinstance(made, NotSent):
        code, message = _REFUSALS[made]
        content = {"code": code, "msg": message}
        return Answered(status=400, body=msgspec.json.encode(content))
    return _ok({"id": f"w{made.number}"})


def _withdrawal(one: Withdrawal) -> dict[str, object]:
    at = datetime.fromtimestamp(one.at_ms // 1_000, UTC)
    return {
        "id": f"w{one.number}",
        "amount": f"{one.amount - one.fee:f}",
        "transactionFee": f"{one.fee:f}",
        "coin": one.asset,
        "status": _STATUS[one.way],
        "address": one.address,
        "txId": one.tx_id,
        "applyTime": at.strftime("%Y-%m-%d %H:%M:%S"),
        "network": _NETWORKS[one.chain],
        "withdrawOrderId": one.client_id,
        "info": "" if one.way in (Way.PENDING, Way.SENT) else one.way.value,
    }


def _deposit(one: Deposit) -> dict[str, object]:
    return {
        "id": f"d{one.number}",
        "amount": f"{one.amount:f}",
        "coin": one.asset,
        "network": _NETWORKS[one.chain],
        "status": 1 if one.is_credited else 0,
        "address": one.address,
        "txId": one.tx_id,
        "insertTime": one.at_ms,
    }


def _ok(content: object) -> Answered:
    return Answered(status=200, body=msgspec.json.encode(content))
