"""What a transaction of any purpose has to obey, whoever asks; each rule answers for itself.

`routes.py` adds what holds for one that carries a plan out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.domain.routes_on_chain import AMOUNT_RAW_MAX
from engine.domain.signing import (
    Purpose,
    RefusalKind,
    SigningIntent,
    SignRefusal,
    UnsignedTransaction,
)
from engine.sending.encoding import (
    PAUSE,
    REVOKE,
    UNPAUSE,
    WITHDRAW,
    allow_calldata,
    disallow_calldata,
)
from engine.signing.terms import SigningTerms

_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")
_WORD: Final = 32
_ADDRESS_PADDING: Final = bytes(12)

NONCE_MAX: Final = 2**63 - 1
"""What the journal counts to; chains go to twice that (EIP-2681)."""

GAS_LIMIT_MIN: Final = 21_000
GAS_LIMIT_MAX: Final = 16_777_216
"""EIP-7825: Ethereum takes no larger transaction; what we send is far below."""

FEE_WEI_MAX: Final = 10**15
"""A million gwei for a unit of gas; the dearest blocks ever took some thousand."""

CANCEL_GAS_MAX: Final = 1_000_000
"""A transfer of nothing takes 21,000; where bytes are charged as gas, some hundred thousand."""

APPROVE_GAS_MAX: Final = 200_000
"""A token's `approve` takes some 30,000 to 60,000."""

_CALLS: Final = {
    Purpose.PAUSE: (PAUSE, 0),
    Purpose.UNPAUSE: (UNPAUSE, 0),
    Purpose.WITHDRAW: (WITHDRAW, 1),
    Purpose.REVOKE: (REVOKE, 2),
}
"""Selector of what carries no plan out, and how many addresses follow."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a rule looks at.

    Attributes:
        own: address of the wallet that signs.
        chain: the name of the transaction's chain; empty if nothing is signed there.
        beside_wei: what other transactions of the same plan may pay for gas.
        is_other_signed: whether something was signed of the other part of the same plan.
    """

    intent: SigningIntent
    terms: SigningTerms
    own: str
    chain: str
    beside_wei: int = 0
    is_other_signed: bool = False

    @property
    def transaction(self) -> UnsignedTransaction:
        """What is to be signed."""
        return self.intent.transaction


Rule = Callable[[Given], SignRefusal | None]


def refused(kind: RefusalKind, detail: str) -> SignRefusal:
    """Make a refusal."""
    return SignRefusal(kind=kind, detail=detail)


def check_chain(given: Given) -> SignRefusal | None:
    """Only chains that the operator named."""
    if given.chain:
        return None
    known = ", ".join(f"{name} ({number})" for name, number in given.terms.chain_ids.items())
    return refused(
        RefusalKind.CHAIN,
        f"nothing is signed for chain id {given.transaction.chain_id}; it is for {known or 'none'}",
    )


def check_form(given: Given) -> SignRefusal | None:
    """Only numbers that a chain takes."""
    one = given.transaction
    if not 0 <= one.nonce <= NONCE_MAX:
        return refused(RefusalKind.NONCE, f"nonce {one.nonce} is not from 0 to {NONCE_MAX}")
    if not GAS_LIMIT_MIN <= one.gas_limit <= GAS_LIMIT_MAX:
        return refused(
            RefusalKind.GAS,
            f"gas limit {one.gas_limit} is not from {GAS_LIMIT_MIN} to {GAS_LIMIT_MAX}",
        )
    if not 0 <= one.max_priority_fee_per_gas_wei <= one.max_fee_per_gas_wei:
        return refused(
            RefusalKind.FEE,
            f"priority fee {one.max_priority_fee_per_gas_wei} wei is not from 0 to the fee of"
            f" {one.max_fee_per_gas_wei} wei",
        )
    if not 0 < one.max_fee_per_gas_wei <= FEE_WEI_MAX:
        return refused(
            RefusalKind.FEE,
            f"a fee of {one.max_fee_per_gas_wei} wei is not from 1 to {FEE_WEI_MAX}",
        )
    return None


def check_value(given: Given) -> SignRefusal | None:
    """No coin ever leaves the wallet but for gas."""
    value_wei = given.transaction.value_wei
    if value_wei == 0:
        return None
    return refused(RefusalKind.VALUE, f"it sends {value_wei} wei; nothing is ever sent along")


def check_target(given: Given) -> SignRefusal | None:
    """Only contracts that the operator named, with that code; a cancel to ourselves."""
    intent, to = given.intent, given.transaction.to
    if not _ADDRESS.fullmatch(to):
        return refused(RefusalKind.CONTRACT, f"{to[:50]!r} is no address: 0x and 40 small digits")
    if intent.purpose in {Purpose.CANCEL, Purpose.DISALLOW, Purpose.ALLOW}:
        return _check_free_target(given)
    return _check_ours(given, to)


def _check_ours(given: Given, to: str) -> SignRefusal | None:
    """It is a contract that the operator named, with that code."""
    named = given.terms.contracts.get(given.chain, {}).get(to)
    if named is None:
        return refused(RefusalKind.CONTRACT, f"{to} on {given.chain} is no contract of ours")
    code_hash = given.intent.code_hash
    if code_hash != named:
        seen = code_hash[:70] or "not told"
        return refused(
            RefusalKind.CODE_HASH,
            f"the code of {to} on {given.chain} is {seen}; it has to be {named}",
        )
    return None


def _check_free_target(given: Given) -> SignRefusal | None:
    """A cancel goes to ourselves; what takes an allowance back to any token, as it only takes back.

    Neither of our own is a token: of the contract's allowances it is asked itself. Of which token
    a plan allows anything, is looked at with the plan.
    """
    to = given.transaction.to
    is_own = to == given.own
    if given.intent.purpose is Purpose.CANCEL:
        why = "" if is_own else f"a cancel goes to our own {given.own}, not to {to}"
    else:
        is_ours = is_own or to in given.terms.contracts.get(given.chain, {})
        why = f"{to} on {given.chain} is ours, and no token" if is_ours else ""
    return refused(RefusalKind.CONTRACT, why) if why else None


def check_call(given: Given) -> SignRefusal | None:
    """What protects calls exactly what it says; a route's call is looked at in `routes.py`."""
    data, purpose = given.transaction.data, given.intent.purpose
    if purpose is Purpose.CANCEL:
        return _check_cancel(given)
    if purpose is Purpose.DISALLOW:
        return _check_disallow(given)
    if purpose is Purpose.ALLOW:
        return _check_allow(given)
    expected = _CALLS.get(purpose)
    if expected is None:
        return None
    selector, count = expected
    words = [data[4 + _WORD * index : 4 + _WORD * (index + 1)] for index in range(count)]
    is_exact = (
        data[:4] == selector
        and len(data) == 4 + _WORD * count
        and all(word.startswith(_ADDRESS_PADDING) for word in words)
    )
    if is_exact:
        return None
    return refused(RefusalKind.CALL, f"0x{data[:4].hex()} is not the call for a {purpose}")


def _check_cancel(given: Given) -> SignRefusal | None:
    data, gas_limit = given.transaction.data, given.transaction.gas_limit
    if data:
        return refused(RefusalKind.CALL, f"a cancel carries {len(data)} bytes; none are allowed")
    if gas_limit > CANCEL_GAS_MAX:
        return refused(
            RefusalKind.GAS,
            f"a cancel with a gas limit of {gas_limit}; {CANCEL_GAS_MAX} are allowed",
        )
    return None


def _check_disallow(given: Given) -> SignRefusal | None:
    """It is built here anew of the spender that it names, with nothing as its amount."""
    data = given.transaction.data
    spender, _ = read_approve(data)
    if not int(spender, 16) or data != disallow_calldata(spender):
        return refused(
            RefusalKind.CALL, f"0x{data[:4].hex()} with {len(data)} bytes is no approve(spender, 0)"
        )
    return _check_approve_gas(given)


def _check_allow(given: Given) -> SignRefusal | None:
    """It is built here anew, and allows an amount to a contract of ours, with that code."""
    data = given.transaction.data
    spender, amount_raw = read_approve(data)
    if data != allow_calldata(spender, amount_raw):
        return refused(
            RefusalKind.CALL,
            f"0x{data[:4].hex()} with {len(data)} bytes is no approve(spender, amount)",
        )
    if not 0 < amount_raw <= AMOUNT_RAW_MAX:
        return refused(RefusalKind.CALL, f"it allows {amount_raw} units, which no swap takes")
    return _check_ours(given, spender) or _check_approve_gas(given)


def _check_approve_gas(given: Given) -> SignRefusal | None:
    gas_limit = given.transaction.gas_limit
    if gas_limit <= APPROVE_GAS_MAX:
        return None
    return refused(
        RefusalKind.GAS,
        f"a {given.intent.purpose} with a gas limit of {gas_limit}; {APPROVE_GAS_MAX} are allowed",
    )


def read_approve(data: bytes) -> tuple[str, int]:
    """Return who may take how much by a call of a token; of other bytes something or other."""
    words = data[4:].ljust(2 * _WORD, b"\0")
    spender = words[len(_ADDRESS_PADDING) : _WORD]
    return "0x" + spender.hex(), int.from_bytes(words[_WORD : 2 * _WORD])


RULES: Final[tuple[Rule, ...]] = (check_value, check_target, check_call)
"""Those that are asked once it is known that the very same was not signed before."""


def first_refusal(given: Given) -> SignRefusal | None:
    """Return what the first rule that is broken says; None if all are obeyed."""
    for rule in RULES:
        if refusal := rule(given):
            return refusal
    return None
