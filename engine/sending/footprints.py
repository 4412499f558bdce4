"""Which accounts and words of the chain newest calls read, and what those are as of a block.

A node says what a call reads (EIP-2930); as of each new block all of it is asked for by the block's
hash in one batch, before anybody needs it. Code is asked for once: an account's never changes to
another (EIP-6780); of an account that has none it is asked each time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.chains.ports import Json, NodeError
from engine.chains.rpc.parsing import parse_bytes, parse_hash, parse_quantity
from engine.domain.errors import BadValueError
from engine.sending.calls import HeadNow
from engine.sending.view import Batches

CALLS_MAX: Final = 16
"""Newest calls that count, of each route one; what only older ones read is forgotten."""

WORDS_MAX: Final = 400
ACCOUNTS_MAX: Final = 48
"""More is not read ahead: the EVM reads it when it needs it."""

_ADDRESS_DIGITS: Final = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a call reads.

    Attributes:
        accounts: addresses in lower case.
        words: an address and a place in its storage.
    """

    accounts: frozenset[str] = frozenset()
    words: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a part of the chain's state is as of one block.

    Attributes:
        head: hash of the block.
        accounts: balance in wei and code of those that have some, by address.
        words: of storage, by address and place.
    """

    head: str
    accounts: Mapping[str, tuple[int, bytes]] = field(default_factory=dict)
    words: Mapping[tuple[str, int], int] = field(default_factory=dict)


class Footprints:
    """See the module; `wallet` calls."""

    def __init__(self, node: Batches, *, wallet: str) -> None:
        self._node = node
        self._wallet = wallet
        self._of: dict[tuple[str, bytes], Footprint | None] = {}
        self._codes: dict[str, bytes] = {}

    @property
    def newest(self) -> tuple[str, bytes] | None:
        """The newest call: contract and data; None before there is one."""
        return next(reversed(self._of), None)

    def add(self, contract: str, data: bytes) -> None:
        """Note that a call is made; what it reads is learned when there is time."""
        known = self._of.pop((contract, data), None)
        self._of[contract, data] = known
        while len(self._of) > CALLS_MAX:
            del self._of[next(iter(self._of))]

    def covers(self, contracts: Collection[str]) -> bool:
        """Say whether calls that are known read all of these contracts."""
        known = frozenset[str]().union(*(one.accounts for one in self._of.values() if one))
        return known.issuperset(contracts)

    async def learn(self) -> int:
        """Ask what calls read that were made since; return how many were learned.

        Raises:
            NodeError: there is no answer.
        """
        new = [call for call, known in self._of.items() if known is None]
        if not new:
            return 0
        answers = await self._node.batch(
            [
                (
                    "eth_createAccessList",
                    (
                        {"from": self._wallet, "to": contract, "data": "0x" + data.hex()},
                        "pending",  # as in the next block: some pools read more as time goes on
                    ),
                )
                for contract, data in new
            ]
        )
        for call, answer in zip(new, answers, strict=True):
            # Who does not say is not asked again for this call: the EVM reads by itself.
            self._of[call] = found = _footprint(answer, call[0])
            self._forget_like(call, found)
        return len(new)

    def _forget_like(self, call: tuple[str, bytes], found: Footprint) -> None:
        """Forget older calls of the same route, which asked the same contracts."""
        alike = [
            one
            for one, known in self._of.items()
            if one != call and known is not None and known.accounts == found.accounts
        ]
        for one in alike if found.accounts else ():
            del self._of[one]

    async def read(self, head: HeadNow, known: State | None = None) -> State:
        """Return all that newest calls read as of a block, in one batch.

        Args:
            head: the block.
            known: what was read as of it before, and is not asked for again; nor is it returned.

        Raises:
            NodeError: there is no answer, or the block is gone.
        """
        accounts, words = self._wanted()
        self._codes = {one: code for one, code in self._codes.items() if one in accounts}
        if known is not None and known.head == head.hash:
            accounts = [one for one in accounts if one not in known.accounts]
            words = [one for one in words if one not in known.words]
        unknown = [one for one in accounts if one not in self._codes]
        at: dict[str, Json] = {"blockHash": head.hash}
        asked: list[tuple[str, Sequence[Json]]] = [
            *(("eth_getStorageAt", (one, f"0x{place:064x}", at)) for one, place in words),
            *(("eth_getBalance", (one, at)) for one in accounts),
            *(("eth_getCode", (one, at)) for one in unknown),
        ]
        answers = await self._node.batch(asked) if asked else []
        said = []
        for answer in answers:
            if isinstance(answer, NodeError):
                raise answer
            said.append(answer)
        kept, balances = said[: len(words)], said[len(words) : len(words) + len(accounts)]
        try:
            for one, code in zip(unknown, said[len(words) + len(accounts) :], strict=True):
                if content := parse_bytes(code, "a contract's code"):
                    self._codes[one] = content
            return State(
                head=head.hash,
                accounts={
                    one: (parse_quantity(balance, "a balance"), self._codes[one])
                    for one, balance in zip(accounts, balances, strict=True)
                    if one in self._codes
                },
                words={
                    place: int.from_bytes(parse_bytes(word, "a word"))
                    for place, word in zip(words, kept, strict=True)
                    if place[0] in self._codes
                },
            )
        except BadValueError:
            return State(head=head.hash)

    def _wanted(self) -> tuple[list[str], list[tuple[str, int]]]:
        accounts: dict[str, None] = {}
        words: dict[tuple[str, int], None] = {}
        for one in reversed(self._of.values()):  # the newest first, should they be too many
            if one is not None:
                accounts |= dict.fromkeys(sorted(one.accounts))
                words |= dict.fromkeys(sorted(one.words))
        return [*accounts][:ACCOUNTS_MAX], [*words][:WORDS_MAX]


def _footprint(said: Json | NodeError, contract: str) -> Footprint:
    """Read an access list; what cannot be read is none."""
    listed: Any = said.get("accessList") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        return Footprint()
    accounts, words = {contract}, set()
    try:
        for one in listed:
            address = str(one["address"]).lower()
            if len(address) != _ADDRESS_DIGITS:
                return Footprint()
            accounts.add(address)
            for place in one["storageKeys"]:
                words.add((address, int(parse_hash(place, "a place in storage"), 16)))
    except (BadValueError, KeyError, TypeError):
        return Footprint()
    return Footprint(accounts=frozenset(accounts), words=frozenset(words))
