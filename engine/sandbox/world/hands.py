"""Sends transactions from the node's own accounts, many at once, and sees that none fails."""

import time
from typing import Any, Final

from eth_hash.auto import keccak

from engine.sandbox.world.abi import call_data, decode, encode
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc

GAS_MAX: Final = 16_000_000
"""Of one transaction; nothing here needs more."""


INCLUDED_S: Final = 60.0
LOOK_S: Final = 0.002

_RLP_STRING: Final = 0x80


class TransactionFailedError(Exception):
    """A transaction was included and failed, or came into no block."""


class Hands:
    """Acts for one account.

    Transactions wait in a queue until `flush`, which every reading does first; so a hundred go in
    one request.

    Attributes:
        me: the account, in lower case.
        fees: what it offers for its transactions, as the node's method names it.
    """

    def __init__(self, rpc: Rpc, account: str, *, is_miner: bool = False) -> None:
        """Act for an account; a miner makes a block of what it sends, else the node has to."""
        self.rpc: Final = rpc
        self.me: Final = account.lower()
        self._is_miner = is_miner
        self.fees: dict[str, str] = {}
        self._queue: list[dict[str, str]] = []
        self._nonce = int(rpc.ask("eth_getTransactionCount", self.me, "latest"), 16)

    def deploy(self, code: str, constructor: str = "()", *arguments: Any) -> str:
        """Deploy a contract; return the address where it will be.

        Args:
            code: 0x and digits.
            constructor: types of its arguments: ``(address,uint256)``.
            arguments: what it is constructed with.
        """
        data = code + (encode(constructor, *arguments).hex() if arguments else "")
        address = created_address(self.me, self._nonce)
        self._add({"data": data})
        return address

    def send(self, to: str, signature: str, *arguments: Any, value: int = 0) -> None:
        """Call a function of a contract by a transaction."""
        self._add(
            {"to": to, "data": call_data(signature, *arguments)}
            | ({"value": hex(value)} if value else {})
        )

    def flush(self) -> list[dict[str, Any]]:
        """Send what waits; return the receipts.

        Raises:
            TransactionFailedError: one failed.
            NodeSaidNoError: one was refused.
        """
        if not self._queue:
            return []
        queue, self._queue = self._queue, []
        hashes = self.rpc.ask_all([("eth_sendTransaction", (one | self.fees,)) for one in queue])
        if self._is_miner:
            self.rpc.ask("evm_mine")
        receipts = self._receipts(hashes)
        for sent, receipt in zip(queue, receipts, strict=True):
            if receipt["status"] != "0x1":
                what = f"{sent.get('to', 'deployment')} {sent['data'][:10]}"
                raise TransactionFailedError(f"{what}: {receipt['transactionHash']}")
        return receipts

    def post(self) -> tuple[int, int]:
        """Send what waits and wait for nothing; return how many the node took and refused."""
        queue, self._queue = self._queue, []
        refused = 0
        for sent in queue:
            try:
                self.rpc.ask("eth_sendTransaction", sent | self.fees)
            except NodeSaidNoError:
                refused += 1
        if refused:
            self.renew()
        return len(queue) - refused, refused

    def renew(self) -> None:
        """Count on from what the chain has of the account, as after a reorganisation."""
        self._nonce = int(self.rpc.ask("eth_getTransactionCount", self.me, "pending"), 16)

    def _receipts(self, hashes: list[str]) -> list[dict[str, Any]]:
        """Wait for what was sent to be in blocks."""
        until = time.monotonic() + INCLUDED_S
        while True:
            found = self.rpc.ask_all([("eth_getTransactionReceipt", (one,)) for one in hashes])
            if None not in found:
                return found
            if time.monotonic() > until:
                raise TransactionFailedError(f"{found.count(None)} are in no block")
            time.sleep(LOOK_S)

    def read(self, to: str, signature: str, types: tuple[str, ...], *arguments: Any) -> Any:
        """Ask a contract; return its one value, or all of them."""
        self.flush()
        data = call_data(signature, *arguments)
        found = decode(types, self.rpc.ask("eth_call", {"to": to, "data": data}, "latest"))
        return found[0] if len(types) == 1 else found

    def _add(self, one: dict[str, str]) -> None:
        self._queue.append({"from": self.me, "nonce": hex(self._nonce), "gas": hex(GAS_MAX)} | one)
        self._nonce += 1


def created_address(account: str, nonce: int) -> str:
    """Return where the contract is that an account deploys with a nonce."""
    digits = b"" if nonce == 0 else nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    is_itself = len(digits) == 1 and digits[0] < _RLP_STRING
    number = digits if is_itself else bytes([_RLP_STRING + len(digits)]) + digits
    content = b"\x94" + bytes.fromhex(account[2:]) + number
    return "0x" + keccak(bytes([0xC0 + len(content)]) + content)[12:].hex()
