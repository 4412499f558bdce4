"""A token as a probe calls it: every figure is what balances say, never what the token says."""

from collections.abc import Callable
from typing import Final, NamedTuple

from engine.chains.safety.evm import Outcome, ProbeEvm
from engine.chains.safety.words import address_word, number_at, number_word, selector

BALANCE_OF: Final = selector("balanceOf(address)")
TRANSFER: Final = selector("transfer(address,uint256)")
TRANSFER_FROM: Final = selector("transferFrom(address,address,uint256)")
APPROVE: Final = selector("approve(address,uint256)")
TOTAL_SUPPLY: Final = selector("totalSupply()")

_BPS: Final = 10_000


class Moved(NamedTuple):
    """What a transfer did.

    Attributes:
        is_done: it did not revert and did not say false.
        says: what came back: nothing, or a word.
        lost, received: by how much the sender's balance fell, and the receiver's rose.
    """

    is_done: bool
    says: bytes
    sent: int
    lost: int
    received: int
    gas: int

    @property
    def is_false(self) -> bool:
        """Say whether the token said that it did not do it."""
        return bool(self.says) and not any(self.says)

    @property
    def tax_bps(self) -> int:
        """Return what did not arrive, or was taken on top, in parts of 10,000, rounded up."""
        missing = max(self.sent - self.received, 0) + max(self.lost - self.sent, 0)
        return -(-missing * _BPS // self.sent) if self.sent else 0


class TokenCalls:
    """One token in one EVM."""

    def __init__(self, evm: ProbeEvm, address: str) -> None:
        self.evm: Final = evm
        self.address: Final = address

    def balance(self, of: str, *, caller: str | None = None) -> int:
        """Return a balance, 0 if the token does not say."""
        said = self.evm.view(self.address, BALANCE_OF + address_word(of), caller=caller)
        return number_at(said) or 0

    def supply(self) -> int:
        """Return how much there is, 0 if the token does not say."""
        return number_at(self.evm.view(self.address, TOTAL_SUPPLY)) or 0

    def transfer(self, source: str, target: str, amount: int, *, tip_wei: int = 10**9) -> Moved:
        """Let somebody send."""
        sent = TRANSFER + address_word(target) + number_word(amount)
        return self._moved(
            source,
            target,
            amount,
            lambda: self.evm.call(source, self.address, sent, tip_wei=tip_wei),
        )

    def transfer_from(self, spender: str, source: str, target: str, amount: int) -> Moved:
        """Let somebody send what another one has."""
        sent = TRANSFER_FROM + address_word(source) + address_word(target) + number_word(amount)
        return self._moved(
            source, target, amount, lambda: self.evm.call(spender, self.address, sent)
        )

    def approve(self, owner: str, spender: str, amount: int) -> Outcome:
        """Let somebody allow another one to send."""
        sent = APPROVE + address_word(spender) + number_word(amount)
        return self.evm.call(owner, self.address, sent)

    def _moved(self, source: str, target: str, amount: int, act: Callable[[], Outcome]) -> Moved:
        had, there = self.balance(source), self.balance(target)
        outcome = act()
        moved = Moved(
            is_done=outcome.is_done,
            says=outcome.answer,
            sent=amount,
            lost=had - self.balance(source),
            received=self.balance(target) - there,
            gas=outcome.gas,
        )
        return moved._replace(is_done=moved.is_done and not moved.is_false)
