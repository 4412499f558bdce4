"""Acts on contracts of a local world through one contract that pays whatever pools ask of it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak

from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import Token, asset_of
from engine.sandbox.world.abi import call_data, decode, encode
from engine.sandbox.world.hands import Hands, TransactionFailedError
from engine.sandbox.world.rpc import NodeSaidNoError
from engine.sandbox.world.values import WorldToken
from tests.chains.local_world import LocalWorld

CODE = (Path(__file__).parent / "callee" / "Callee.hex").read_text().strip()
"""Of `Callee.sol` beside it, by solc 0.8.30, optimised for 200 runs, for the EVM of Paris."""

RICH = 10**33
TOKENS = ("DAI", "USDC", "WBTC", "USDT")

Do = tuple[str, str, tuple[Any, ...]]
"""A contract, a function by its signature, and its arguments."""


class Actor:
    """See `callee/Callee.sol`.

    Attributes:
        me: the address that acts.
    """

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.hands: Hands = world.hands(1)
        self.me = self.deploy(CODE)
        for symbol in TOKENS:
            for owner in (self.me, self.hands.me):
                self.hands.send(self.token(symbol).address, "mint(address,uint256)", owner, RICH)
        self.hands.flush()

    def deploy(self, code: str, constructor: str = "()", *arguments: Any) -> str:
        made = self.hands.deploy(code, constructor, *arguments)
        self.hands.flush()
        return made

    def make(self, code: str, constructor: str = "()", *arguments: Any) -> str:
        """Deploy by the contract that acts, which then answers what it was told to `say`."""
        content = bytes.fromhex(code[2:]) + (encode(constructor, *arguments) if arguments else b"")
        made: str = self.hands.read(self.me, "make(bytes)", ("address",), content)
        self.hands.send(self.me, "make(bytes)", content)
        self.hands.flush()
        return made

    def say(self, signature: str, types: str, *values: Any) -> None:
        """Answer a function from now on, as the factory of a pool."""
        selector = keccak(signature.encode())[:4]
        self.hands.send(self.me, "say(bytes4,bytes)", selector, encode(types, *values))
        self.hands.flush()

    def do(self, *calls: Do) -> bool:
        """Do it all in one transaction, in a block of its own; say whether it was done."""
        try:
            self.hands.read(self.me, ACT, (), *_packed(calls))  # what fails is not sent at all
            self.hands.send(self.me, ACT, *_packed(calls))
            self.hands.flush()
        except (NodeSaidNoError, TransactionFailedError):
            return False
        return True

    def do_as_me(self, to: str, signature: str, *arguments: Any) -> bool:
        """Do one thing by an account itself; say whether it was done."""
        data = call_data(signature, *arguments)
        try:
            self.hands.rpc.ask(
                "eth_call", {"from": self.hands.me, "to": to, "data": data}, "latest"
            )
            self.hands.send(to, signature, *arguments)
            self.hands.flush()
        except (NodeSaidNoError, TransactionFailedError):
            return False
        return True

    def ask(self, types: tuple[str, ...], *calls: Do) -> tuple[Any, ...] | None:
        """Return what the last call would answer, None if one would revert."""
        try:
            answer = self.hands.read(self.me, ACT, ("bytes",), *_packed(calls))
        except NodeSaidNoError:
            return None
        return decode(types, answer)

    def token(self, symbol: str) -> WorldToken:
        return self.world.token(symbol)

    def in_order(self, *symbols: str) -> tuple[WorldToken, ...]:
        return tuple(sorted(map(self.token, symbols), key=lambda one: one.address))


ACT = "act(address[],bytes[])"


def pool_of(protocol: Protocol, address: str, tokens: tuple[WorldToken, ...], fee: Decimal) -> Pool:
    named = [
        (
            asset_of(
                Token(chain="ethereum", address=one.address, decimals=one.decimals),
                symbol=one.symbol,
            ),
            one.decimals,
        )
        for one in tokens
    ]
    return Pool(
        chain="ethereum",
        protocol=protocol,
        address=address.lower(),
        tokens=tuple(named),
        fee_ratio=fee,
        gas_units=100_000,
        token_addresses=tuple(one.address for one in tokens),
    )


def _packed(calls: tuple[Do, ...]) -> tuple[list[str], list[bytes]]:
    targets = [to for to, _, _ in calls]
    return targets, [
        bytes.fromhex(call_data(signature, *arguments)[2:]) for _, signature, arguments in calls
    ]
