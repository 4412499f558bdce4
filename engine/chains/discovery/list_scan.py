"""Pools that no event names: read out of the list of whoever made them, from where it was left.

Curve's factories tell of a new pool by its coins and not by its address, and its MetaRegistry tells
nothing: where the pools stand is in the lists that they keep. A list only grows. What was read of
one is of the block at which it was read, whose hash is kept: a branch that is left takes it along.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from engine.chains.discovery.announcements import ANNOUNCED, LIST
from engine.chains.discovery.factory_scan import ScanProgress
from engine.chains.discovery.found import FoundPool, PoolRefusal, PoolRefusedError
from engine.chains.discovery.log_span import LogSpan
from engine.chains.discovery.pool_cache import PoolCache, Scanned, key_of
from engine.chains.families.words import WORD, address_at, call_data, selector, unsigned
from engine.chains.ports import BlockRef, Call, NodeError, Reader, Refusal
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError
from engine.domain.tokens import NATIVE_ADDRESS
from engine.pools.curve import COINS_MAX

POOL_COUNT: Final = call_data(selector("pool_count()"))
GET_POOL: Final = selector("pool_list(uint256)")
GET_COINS: Final = selector("get_coins(address)")
IS_META: Final = selector("is_meta(address)")
GAMMA: Final = call_data(selector("gamma()"))

NATIVE_COIN: Final = "0x" + "ee" * 20
"""In place of a token: such a pool holds the chain's own coin."""

LISTED_MAX: Final = 50_000
"""No list is as long; one that says so is not believed."""

POOLS_AT_FIRST: Final = 64
_COIN_LISTS: Final = (2, 4, 8)
"""Of a fixed length, the rest of it zeros; newer ones say how long they are."""


class ListScan:
    """Finds the pools of DEXs that keep lists.

    Attributes:
        refused: how many pools stand in a list and were not taken over, by reason, since the start.

    Args:
        reader: of the chain.
        dexes: whose lists are read; those that announce their pools are passed by.
        cache: keeps what was found.
        told: is told of the progress after each part.
    """

    def __init__(
        self,
        *,
        reader: Reader,
        dexes: Sequence[Dex],
        cache: PoolCache,
        told: Callable[[ScanProgress], None] = lambda _: None,
    ) -> None:
        self.refused: Counter[PoolRefusal] = Counter()
        self._reader = reader
        self._dexes = [dex for dex in dexes if ANNOUNCED.get(dex.protocol) is LIST]
        self._cache = cache
        self._span = LogSpan(POOLS_AT_FIRST)
        self._told = told

    async def catch_up(self, at: BlockRef) -> int:
        """Read what the lists have more as of a block; return how many new pools were found.

        Raises:
            NodeError: a node does not answer; what was read until then is kept.
        """
        counts = await self._reader.call([Call(dex.factory, POOL_COUNT) for dex in self._dexes], at)
        found = 0
        for dex, answer in zip(self._dexes, counts, strict=True):
            if answer is None or len(answer) != WORD:
                continue  # it stands no more, or not yet, on this branch
            count = unsigned(answer, 0)
            if count > LISTED_MAX:
                raise NodeError(Refusal.LIED, f"{dex.name} has a list of {count} pools")
            done = self._cache.listed(dex)
            while done < count:
                end = min(done + self._span.blocks, count)
                try:
                    found += await self._read(dex, range(done, end), at)
                except NodeError as error:
                    if error.refusal is not Refusal.TOO_MANY or not self._span.refused():
                        raise
                    continue
                self._span.given()
                done = end
                self._told(ScanProgress(at.number, at.number, self._cache.count()))
        return found

    async def _read(self, dex: Dex, places: range, at: BlockRef) -> int:
        """Read a part of a list and keep it."""
        listed = await self._reader.call(
            [Call(dex.factory, call_data(GET_POOL, place)) for place in places], at
        )
        addresses = [_address(answer) for answer in listed]
        asked = [
            call
            for address in addresses
            for call in (
                Call(dex.factory, call_data(GET_COINS, int(address, 16))),
                Call(dex.factory, call_data(IS_META, int(address, 16))),
                Call(address, GAMMA),
            )
        ]
        answers = await self._reader.call(asked, at)
        pools: list[FoundPool] = []
        refused: Counter[PoolRefusal] = Counter()
        known = self._cache.among(addresses)
        for number, (place, address) in enumerate(zip(places, addresses, strict=True)):
            try:
                tokens = _tokens(dex, address, answers[3 * number : 3 * number + 3])
            except PoolRefusedError as error:
                refused[error.refusal] += 1
                continue
            if address in known:  # another of the lists has it, or this one read it before
                continue
            known[address] = FoundPool(
                dex=dex, address=address, tokens=tokens, serial=place + 1, block=at.number
            )
            pools.append(known[address])
        scanned = {key_of(dex): Scanned(at.number, places.stop)}
        beyond = self._cache.add(pools, refused, scanned, (at.number, at.hash))
        self.refused.update(refused)
        if beyond:
            self.refused[PoolRefusal.FULL] += beyond
        return len(pools) - beyond


def _address(answer: bytes | None) -> str:
    try:
        return NATIVE_ADDRESS if answer is None else address_at(answer, 0, what="a pool")
    except BadValueError:
        return NATIVE_ADDRESS


def _tokens(dex: Dex, address: str, answers: Sequence[bytes | None]) -> tuple[str, ...]:
    """Return the tokens of a pool in a list.

    Raises:
        PoolRefusedError: it cannot be one, or is none that can be followed.
    """
    coins, is_meta, gamma = answers
    if address in (NATIVE_ADDRESS, dex.factory):
        raise PoolRefusedError(PoolRefusal.MALFORMED, f"{dex.name} lists {address}")
    try:
        tokens = _coins(coins)
    except BadValueError as error:
        raise PoolRefusedError(PoolRefusal.MALFORMED, str(error)) from error
    if len(set(tokens)) < len(tokens) or address in tokens:
        raise PoolRefusedError(PoolRefusal.TOKENS, f"the coins of {address} are {tokens}")
    if gamma is not None or is_meta is None or any(is_meta):
        raise PoolRefusedError(PoolRefusal.KIND, f"{address} is no plain stable pool")
    if not 2 <= len(tokens) <= COINS_MAX or NATIVE_COIN in tokens:  # noqa: PLR2004 - a swap is between two
        raise PoolRefusedError(PoolRefusal.KIND, f"the coins of {address} are {tokens}")
    return tokens


def _coins(answer: bytes | None) -> tuple[str, ...]:
    """Return a list of addresses, of a length that it says or of a fixed one.

    Raises:
        BadValueError: it is none.
    """
    words, odd = divmod(len(answer or b""), WORD)
    if answer is None or odd or words < min(_COIN_LISTS):
        raise BadValueError(f"{len(answer or b'')} bytes are no list of coins")
    if unsigned(answer, 0) == WORD and unsigned(answer, 1) == words - 2:
        first = 2
    elif words in _COIN_LISTS:
        first = 0
    else:
        raise BadValueError(f"{words} words are no list of coins")
    coins = [address_at(answer, at, what="a coin") for at in range(first, words)]
    while coins and coins[-1] == NATIVE_ADDRESS:
        coins.pop()
    if NATIVE_ADDRESS in coins:
        raise BadValueError(f"a coin among {coins} is none")
    return tuple(coins)
