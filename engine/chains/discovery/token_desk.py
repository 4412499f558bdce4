"""Knows the tokens of a chain: asked for once, kept in the chain's file, refused by name."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from engine.chains.discovery.cache_file import change
from engine.chains.discovery.token_texts import decimals_of, text_of
from engine.chains.families.words import call_data, selector
from engine.chains.ports import BlockRef, Call, Reader
from engine.domain.assets import AssetCode
from engine.domain.chains import ChainFacts
from engine.domain.errors import BadValueError
from engine.domain.tokens import NATIVE_ADDRESS, NATIVE_DECIMALS, Token, asset_of

GET_SYMBOL: Final = call_data(selector("symbol()"))
GET_NAME: Final = call_data(selector("name()"))
GET_DECIMALS: Final = call_data(selector("decimals()"))
_CALLS: Final = (GET_SYMBOL, GET_NAME, GET_DECIMALS)


class TokenFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it says of itself.

    Attributes:
        symbol, name: cut and cleaned; nothing that anybody may rest on.
        decimals: 0 if it is refused.
        refusal: why nothing can be reckoned in it; empty if it can.
        block: in which it was asked.
    """

    address: str
    symbol: str
    name: str
    decimals: int
    refusal: str = ""
    block: int


class TokenDesk:
    """What is known of a chain's tokens.

    Tokens that are refused are asked again by the next process: a proxy may have been mended.
    """

    def __init__(self, *, facts: ChainFacts, reader: Reader, cache: sqlite3.Connection) -> None:
        self._facts = facts
        self._reader = reader
        self._cache = cache
        self._asked: set[str] = set()  # and refused

    async def facts_of(self, addresses: Iterable[str], at: BlockRef) -> dict[str, TokenFacts]:
        """Return what is known of some tokens, asked for where nothing is.

        Raises:
            NodeError: a node does not answer.
        """
        wanted = list(dict.fromkeys(addresses))
        known = self.known(wanted)
        missing = [
            address
            for address in wanted
            if address not in known or (known[address].refusal and address not in self._asked)
        ]
        for found in await self._ask(missing, at):
            known[found.address] = found
        return known

    async def changed(self, addresses: Iterable[str], at: BlockRef) -> list[TokenFacts]:
        """Ask known tokens for their decimals again; return those that say others now, refused.

        Raises:
            NodeError: a node does not answer.
        """
        known = self.known(addresses)
        asked = [facts for facts in known.values() if not facts.refusal and not _is_native(facts)]
        answers = await self._reader.call(
            [Call(facts.address, GET_DECIMALS) for facts in asked], at
        )
        changed: list[TokenFacts] = []
        for facts, answer in zip(asked, answers, strict=True):
            try:
                now = decimals_of(answer)
                why = f"it had {facts.decimals} decimals and has {now} now"
            except BadValueError as error:
                now, why = 0, str(error)
            if now != facts.decimals:
                changed.append(
                    msgspec.structs.replace(facts, decimals=0, refusal=why, block=at.number)
                )
        self._keep(changed)
        return changed

    def known(self, addresses: Iterable[str]) -> dict[str, TokenFacts]:
        """Return what the file says of some tokens."""
        known: dict[str, TokenFacts] = {}
        for address in addresses:
            if address == NATIVE_ADDRESS:
                known[address] = self._native()
                continue
            row = self._cache.execute(
                "SELECT symbol, name, decimals, refusal, block FROM tokens WHERE address = ?",
                (bytes.fromhex(address[2:]),),
            ).fetchone()
            if row is not None:
                symbol, name, decimals, refusal, block = row
                known[address] = TokenFacts(
                    address=address,
                    symbol=symbol,
                    name=name,
                    decimals=decimals,
                    refusal=refusal,
                    block=block,
                )
        return known

    def asset(self, facts: TokenFacts) -> AssetCode:
        """Return the asset that a token is.

        Raises:
            BadValueError: it is refused.
        """
        if facts.refusal:
            raise BadValueError(f"{facts.address} on {self._facts.name}: {facts.refusal}")
        token = Token(chain=self._facts.name, address=facts.address, decimals=facts.decimals)
        return asset_of(token, symbol=facts.symbol)

    async def _ask(self, addresses: Sequence[str], at: BlockRef) -> list[TokenFacts]:
        calls = [Call(address, data) for address in addresses for data in _CALLS]
        answers = await self._reader.call(calls, at)
        found = [
            self._read(address, answers[start : start + len(_CALLS)], at)
            for start, address in zip(range(0, len(answers), len(_CALLS)), addresses, strict=True)
        ]
        self._asked.update(facts.address for facts in found if facts.refusal)
        self._keep(found)
        return found

    def _read(self, address: str, answers: Sequence[bytes | None], at: BlockRef) -> TokenFacts:
        symbol, name, decimals = answers
        facts = TokenFacts(
            address=address,
            symbol=text_of(symbol),
            name=text_of(name),
            decimals=0,
            block=at.number,
        )
        try:
            facts = msgspec.structs.replace(facts, decimals=decimals_of(decimals))
            self.asset(facts)
        except BadValueError as error:
            return msgspec.structs.replace(facts, decimals=0, refusal=str(error))
        return facts

    def _native(self) -> TokenFacts:
        native = self._facts.native
        return TokenFacts(
            address=NATIVE_ADDRESS,
            symbol=native,
            name=native,
            decimals=NATIVE_DECIMALS,
            block=0,
        )

    def _keep(self, found: Sequence[TokenFacts]) -> None:
        with change(self._cache):
            self._cache.executemany(
                "INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        bytes.fromhex(facts.address[2:]),
                        facts.symbol,
                        facts.name,
                        facts.decimals,
                        facts.refusal,
                        facts.block,
                    )
                    for facts in found
                ],
            )


def _is_native(facts: TokenFacts) -> bool:
    return facts.address == NATIVE_ADDRESS
