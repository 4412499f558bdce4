"""Who asks a relay in tests: a name that signs requests, and an account that signs transactions."""

import json
import urllib.request
from typing import Any

import rlp
from eth_account import Account
from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey
from eth_utils.address import to_checksum_address

from engine.sandbox.relay.signatures import HEADER
from engine.sandbox.relay.transactions import SignedTransaction, parse_transaction
from engine.sandbox.world.abi import call_data
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.swaps import Order, swap_of

GWEI = 10**9


class Searcher:
    """A name and an account, both of one number."""

    def __init__(self, number: int, *, chain_id: int = 1) -> None:
        self.name_key = PrivateKey(keccak(b"name %d" % number))
        self.account = Account.from_key(keccak(b"account %d" % number))
        self.address = str(self.account.address).lower()
        self.name = self.name_key.public_key.to_address()
        self.chain_id = chain_id

    def header(self, body: bytes) -> str:
        text = b"0x" + keccak(body).hex().encode()
        digest = keccak(b"\x19Ethereum Signed Message:\n%d" % len(text) + text)
        signature = self.name_key.sign_msg_hash(digest).to_bytes()
        return f"{self.name}:0x{signature.hex()}"

    def signed(self, to: str, *, nonce: int = 0, tip_gwei: float = 1, **more: Any) -> str:
        """Sign a transaction; by default it sends nothing."""
        fields = {
            "to": to_checksum_address(to),
            "value": 0,
            "gas": 100_000,
            "maxPriorityFeePerGas": int(tip_gwei * GWEI),
            "maxFeePerGas": int(tip_gwei * GWEI) + 200 * GWEI,
            "nonce": nonce,
            "chainId": self.chain_id,
        }
        made = self.account.sign_transaction(fields | more)
        return "0x" + bytes(made.raw_transaction).hex()

    def signed_oddly(self, to: str) -> str:
        """Sign a transaction whose value of nothing is written as a byte, which nobody may."""
        nothing: list[bytes] = []
        fields: list[Any] = [b"\x01", b"", _bytes(GWEI), _bytes(200 * GWEI), _bytes(50_000)]
        fields += [bytes.fromhex(to[2:]), b"\x00", b"", nothing]
        digest = keccak(b"\x02" + rlp.encode(fields))
        signature = PrivateKey(bytes(self.account.key)).sign_msg_hash(digest)
        vrs = [_bytes(signature.v), _bytes(signature.r), _bytes(signature.s)]
        return "0x02" + bytes(rlp.encode([*fields, *vrs])).hex()

    def ask(self, url: str, method: str, given: Any) -> Any:
        """Ask a relay; return its answer."""
        body = json.dumps({"jsonrpc": "2.0", "id": 4, "method": method, "params": [given]}).encode()
        request = urllib.request.Request(url, body, {HEADER: self.header(body)})  # noqa: S310 - ours
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - ours
            return json.loads(answer.read())


def signed_swap(rpc: Rpc, order: Order, *, tip_gwei: int) -> SignedTransaction:
    """Let the node sign a swap of one of its accounts."""
    sent = swap_of(order)
    raw: str = rpc.ask(
        "eth_signTransaction",
        {
            "from": order.account,
            "to": order.pool.router,
            "data": call_data(sent.signature, *sent.arguments),
            "gas": hex(400_000),
            "nonce": rpc.ask("eth_getTransactionCount", order.account, "latest"),
            "maxFeePerGas": hex((tip_gwei + 100) * GWEI),
            "maxPriorityFeePerGas": hex(tip_gwei * GWEI),
            "chainId": rpc.ask("eth_chainId"),
        },
    )
    return parse_transaction(bytes.fromhex(raw[2:]))


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)
