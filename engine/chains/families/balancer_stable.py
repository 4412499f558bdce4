"""Stable pools of Balancer V2: meta stable ones of 2021 and composable ones since 2022.

A token's rate is what its provider said last; a swap asks it again once that is too old. Rates so
change without an event, and amplification with every second while it is on its way.
"""

from collections.abc import Sequence
from typing import Final

from engine.chains.families.balancer import (
    FEE_ONE,
    OWN_TOPICS,
    VAULT_TOPICS,
    PoolHead,
    Vault,
    contract_of,
    numbers,
    without_share,
)
from engine.chains.families.reading import (
    NotReadError,
    answered,
    pool_now,
    unreadable,
    with_fee,
)
from engine.chains.families.words import call_data, flag, selector, topic, unsigned
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.balancer_stable import AMP_PRECISION, InvariantForm
from engine.pools.blocks import PoolMoved
from engine.pools.snapshot_rows import StableRow

AMP_STARTED: Final = topic("AmpUpdateStarted(uint256,uint256,uint256,uint256)")
AMP_STOPPED: Final = topic("AmpUpdateStopped(uint256)")
RATE_UPDATED: Final = topic("TokenRateCacheUpdated(uint256,uint256)")
PROVIDER_SET: Final = topic("TokenRateProviderSet(uint256,address,uint256)")

GET_AMP: Final = call_data(selector("getAmplificationParameter()"))
GET_FACTORS: Final = call_data(selector("getScalingFactors()"))
GET_PROVIDERS: Final = call_data(selector("getRateProviders()"))
GET_RATE_CACHE: Final = selector("getTokenRateCache(address)")
GET_RATE: Final = call_data(selector("getRate()"))

_CALLS = (GET_AMP, GET_FACTORS, GET_PROVIDERS)
_RATE_CALLS = 2


class BalancerStable:
    """See `ports.Family`."""

    topics: Final = (
        VAULT_TOPICS
        | OWN_TOPICS
        | frozenset((AMP_STARTED, AMP_STOPPED, RATE_UPDATED, PROVIDER_SET))
    )
    is_polled: Final = True

    def __init__(self, vaults: frozenset[str]) -> None:
        """Make the family of a chain.

        Raises:
            BadValueError: it has several vaults.
        """
        self._vault = Vault(vaults)

    def address_of(self, log: Log) -> str:
        """Return the pool's id."""
        return self._vault.address_of(log)

    def change_of(self, pool: Pool, log: Log) -> PoolMoved | ReadAgain | None:
        """Return what flowed in and out."""
        return self._vault.change_of(pool, log)

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read balances, rates, amplification and fee.

        Raises:
            NodeError: nothing could be read.
        """
        heads = await self._vault.heads(pools, reader, at)
        answers = await reader.call(
            [Call(contract_of(pool), data) for pool in pools for data in _CALLS], at
        )
        parts = [
            answers[start : start + len(_CALLS)] for start in range(0, len(answers), len(_CALLS))
        ]
        rated = [_providers(head, part[2]) for head, part in zip(heads, parts, strict=True)]
        asked = [
            call
            for pool, providers in zip(pools, rated, strict=True)
            if not isinstance(providers, NotReadError)
            for token, provider in providers
            for call in (
                Call(contract_of(pool), call_data(GET_RATE_CACHE, int(token, 16))),
                Call(provider, GET_RATE),
            )
        ]
        rates = iter(await reader.call(asked, at))
        read: list[PoolNow | Unreadable] = []
        for head, part, providers in zip(heads, parts, rated, strict=True):
            if isinstance(providers, NotReadError):
                read.append(unreadable(providers))
                continue
            assert not isinstance(head, NotReadError)
            told = {token: (next(rates), next(rates)) for token, _ in providers}
            try:
                read.append(_pool_now(head, part, told, at_s=at.made_at_s))
            except (NotReadError, BadValueError) as error:
                read.append(unreadable(error))
        return read

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Ask for all to be read again: rates are no terms, and as many words as the rest."""
        del reader, at
        return [ReadAgain(why="its rates may have changed")] * len(pools)


def _providers(
    head: PoolHead | NotReadError, answer: bytes | None
) -> list[tuple[str, str]] | NotReadError:
    """Return the tokens whose rate somebody says, and who says it."""
    if isinstance(head, NotReadError):
        return head
    if answer is None:
        return []
    try:
        words = without_share(
            numbers(answered(answer, 1, what="rate providers"), 0, what="rate providers"), head
        )
    except (NotReadError, BadValueError) as error:
        return NotReadError(str(error))
    tokens = head.pool.token_addresses
    if len(words) != len(tokens):
        return NotReadError(f"{len(words)} rate providers of {len(tokens)} tokens")
    return [
        (token, f"0x{provider:040x}")
        for token, provider in zip(tokens, words, strict=True)
        if provider
    ]


def _pool_now(
    head: PoolHead,
    answers: Sequence[bytes | None],
    told: dict[str, tuple[bytes | None, bytes | None]],
    *,
    at_s: int,
) -> PoolNow | Unreadable:
    if head.share_at is not None and not head.is_late:
        raise NotReadError("it is a phantom pool of 2021, whose contracts are not followed")
    amp = answered(answers[0], 3, what="amplification")
    if flag(amp, 1, what="whether amplification changes"):
        raise NotReadError("its amplification is changing with time")
    if unsigned(amp, 2) != AMP_PRECISION:
        raise NotReadError(f"its amplification has the precision {unsigned(amp, 2)}")
    rates = _rates(head, answers[1])
    for index, token in enumerate(head.pool.token_addresses):
        if token in told:
            rates[index] = _rate_e18(rates[index], *told[token], at_s=at_s)
    row = StableRow(
        balances_raw=tuple(map(str, head.balances_raw)),
        rates_e18=tuple(map(str, rates)),
        amp=unsigned(amp, 0),
        invariant_form=InvariantForm.ROUND_DOWN if head.is_late else InvariantForm.ROUND_UP,
    )
    return pool_now(with_fee(head.pool, head.fee_e18, FEE_ONE), row)


def _rates(head: PoolHead, answer: bytes | None) -> list[int]:
    """Return the tokens' rates, which the pool's factors of scale hold."""
    if answer is None:
        return [FEE_ONE] * len(head.pool.tokens)
    factors = without_share(
        numbers(answered(answer, 1, what="factors of scale"), 0, what="factors of scale"), head
    )
    if len(factors) != len(head.pool.tokens):
        raise NotReadError(f"{len(factors)} factors of scale of {len(head.pool.tokens)} tokens")
    rates = []
    for factor, (asset, places) in zip(factors, head.pool.tokens, strict=True):
        rate, rest = divmod(factor, 10 ** max(18 - places, 0))
        if rest:
            raise NotReadError(f"the factor {factor} of {asset} is finer than its decimals")
        rates.append(rate)
    return rates


def _rate_e18(known_e18: int, cache: bytes | None, provider: bytes | None, *, at_s: int) -> int:
    """Return the rate that a swap uses: what is remembered, or what is said now if that is old."""
    words = answered(cache, 4, what="remembered rate")
    remembered, expires_s = unsigned(words, 0), unsigned(words, 3)
    if remembered != known_e18:
        raise NotReadError(f"a rate is {known_e18} in its factors and {remembered} in memory")
    if at_s < expires_s:
        return known_e18
    return unsigned(answered(provider, 1, what="rate of a provider"), 0)
