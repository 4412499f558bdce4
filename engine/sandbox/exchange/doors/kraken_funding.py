"""Kraken's withdrawals and deposits: to addresses by their names, without an id of clients."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from engine.sandbox.exchange.doors.door import Answered, DoorKey
from engine.sandbox.exchange.funding import Deposit, Funding, NotSent, Way, Withdrawal

WITHDRAW: Final = "/Withdraw"
_WITHDRAWALS: Final = "/WithdrawStatus"
_DEPOSITS: Final = "/DepositStatus"
FUNDING_PATHS: Final = frozenset({WITHDRAW, _WITHDRAWALS, _DEPOSITS})

_NAMES: Final = {"BTC": "XXBT", "ETH": "XETH", "XRP": "XXRP"}
_CODES: Final = {"XBT": "BTC"}
_REFUSALS: Final = {
    NotSent.FUNDS: "EFunding:Insufficient funds",
    NotSent.ADDRESS: "EFunding:Unknown withdraw key",
    NotSent.AMOUNT: "EFunding:Too small amount",
    NotSent.ASSET: "EFunding:Unknown asset",
}
_STATUS: Final = {
    Way.PENDING: ("Pending", None),
    Way.SENT: ("Success", None),
    Way.CANCELLED: ("Failure", "canceled"),
    Way.FAILED: ("Failure", None),
}


def answer_funding(
    funding: Funding, path: str, form: Mapping[str, str], at_ms: int, key: DoorKey
) -> Answered:
    """Answer one of these paths."""
    if path != _DEPOSITS and not key.may_withdraw:
        return _error("EGeneral:Permission denied")
    if path == WITHDRAW:
        return _withdraw(funding, form, at_ms)
    asset = _CODES.get(form["asset"], form["asset"])
    since_ms = int(form.get("start", "0")) * 1_000
    listed: list[Withdrawal] | list[Deposit] = (
        funding.withdrawals if path == _WITHDRAWALS else funding.deposits
    )
    found = [one for one in listed if one.asset == asset and one.at_ms >= since_ms]
    return _answer([_row(one) for one in found])


def _withdraw(funding: Funding, form: Mapping[str, str], at_ms: int) -> Answered:
    named = None if funding.network is None else funding.network.named(form["key"])
    if named is None:
        return _error("EFunding:Unknown withdraw key")
    chain, address, memo = named
    if form.get("address", address) != address:
        return _error("EFunding:Address mismatch")
    made = funding.withdraw(
        Withdrawal(
            number=0,
            client_id="",
            asset=_CODES.get(form["asset"], form["asset"]),
            chain=chain,
            address=address,
            memo=memo,
            amount=Decimal(form["amount"]),
            fee=Decimal(0),
            at_ms=at_ms,
            due_ms=0,
        )
    )
    if isinstance(made, NotSent):
        return _error(_REFUSALS[made])
    return _answer({"refid": f"WSANDB-{made.number}"})


def _row(one: Withdrawal | Deposit) -> dict[str, object]:
    is_out = isinstance(one, Withdrawal)
    row: dict[str, object] = {
        "method": one.chain,
        "aclass": "currency",
        "asset": _NAMES.get(one.asset, one.asset),
        "refid": f"{'W' if is_out else 'D'}SANDB-{one.number}",
        "txid": one.tx_id or None,
        "info": one.address,
        "time": one.at_ms // 1_000,
    }
    if isinstance(one, Deposit):
        status = "Success" if one.is_credited else "Settled"
        return row | {"amount": f"{one.amount:f}", "fee": "0", "status": status}
    status, prop = _STATUS[one.way]
    beside = {} if prop is None else {"status-prop": prop}
    amount = one.amount - one.fee
    return row | {"amount": f"{amount:f}", "fee": f"{one.fee:f}", "status": status} | beside


def _answer(result: object) -> Answered:
    return Answered(status=200, body=msgspec.json.encode({"error": [], "result": result}))


def _error(word: str) -> Answered:
    return Answered(status=200, body=msgspec.json.encode({"error": [word]}))
