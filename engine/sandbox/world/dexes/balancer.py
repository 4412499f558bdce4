"""Balancer V2: the vault, weighted pools and a stable one."""

from decimal import Decimal
from typing import Final

from engine.domain.dexes import Dex
from engine.domain.pools import Protocol
from engine.sandbox.world.abi import ZERO, encode, topic
from engine.sandbox.world.site import SIDE_USD, WRAPPED, Site
from engine.sandbox.world.values import WorldPool

_TASKS: Final = "@balancer-labs/v2-deployments/dist/tasks"
_E18: Final = 10**18
_WINDOW_S, _BUFFER_S = 90 * 86_400, 30 * 86_400
_REGISTERED: Final = topic("PoolRegistered(bytes32,address,uint8)")
_INIT: Final = 0
_SHARES_MAX: Final = 2**112
"""A composable pool's own shares are one of its tokens; it mints itself a little less."""

_WEIGHTED: Final = (
    ((WRAPPED, "USDC"), (50, 50), 3000),
    (("WBTC", WRAPPED, "USDC"), (40, 40, 20), 2500),
)
_STABLE: Final = ((("USDC", "USDT", "DAI"), 200, 100),)
"""Symbols, amplification, fee."""


def make_balancer(site: Site) -> None:
    """Deploy ``balancer_vault``, ``balancer_queries`` and two factories of pools."""
    hands = site.hands
    authorizer = site.deploy(
        "balancer_authorizer",
        f"{_TASKS}/20210418-authorizer/artifact/Authorizer.json",
        "(address)",
        hands.me,
    )
    vault = site.deploy(
        "balancer_vault",
        f"{_TASKS}/20210418-vault/artifact/Vault.json",
        "(address,address,uint256,uint256)",
        *(authorizer, site.wrapped.address, _WINDOW_S, _BUFFER_S),
    )
    site.deploy(
        "balancer_queries",
        f"{_TASKS}/20220721-balancer-queries/artifact/BalancerQueries.json",
        "(address)",
        vault,
    )
    fees = site.deploy(
        "balancer_fees",
        f"{_TASKS}/20220725-protocol-fee-percentages-provider/artifact/"
        "ProtocolFeePercentagesProvider.json",
        "(address,uint256,uint256)",
        *(vault, _E18 // 2, _E18 // 2),
    )
    for name, task in (
        ("weighted", "20230206-weighted-pool-v3/artifact/WeightedPoolFactory.json"),
        (
            "composable",
            "20230206-composable-stable-pool-v3/artifact/ComposableStablePoolFactory.json",
        ),
    ):
        site.deploy(
            f"balancer_{name}_factory",
            f"{_TASKS}/{task}",
            "(address,address,string,string)",
            *(vault, fees, "local", "local"),
        )
    site.let_take(vault)
    weighted, stable = (
        Dex(
            name=f"Balancer V2, {kind}",
            chain=site.plan.chain,
            protocol=protocol,
            factory=vault,
            is_proven=True,
        )
        for kind, protocol in (
            ("weighted", Protocol.BALANCER_WEIGHTED),
            ("stable", Protocol.BALANCER_STABLE),
        )
    )
    site.dexes.extend((weighted, stable))
    for symbols, weights, fee_pips in _WEIGHTED:
        _weighted(site, weighted, symbols, weights, fee_pips)
    for symbols, amplification, fee_pips in _STABLE:
        _stable(site, stable, symbols, amplification, fee_pips)


def _weighted(
    site: Site, dex: Dex, symbols: tuple[str, ...], weights: tuple[int, ...], fee_pips: int
) -> None:
    by_symbol = dict(zip((site.token(one) for one in symbols), weights, strict=True))
    tokens = site.in_order(*symbols)
    site.hands.send(
        site.contracts["balancer_weighted_factory"],
        "create(string,string,address[],uint256[],address[],uint256,address)",
        "Weighted",
        "WP",
        [one.address for one in tokens],
        [by_symbol[one] * _E18 // 100 for one in tokens],
        [ZERO] * len(tokens),
        fee_pips * 10**12,
        site.hands.me,
    )
    worth = [SIDE_USD * 2 * by_symbol[one] / 100 for one in tokens]
    amounts = {
        one.address: site.worth_raw(one, usd) for one, usd in zip(tokens, worth, strict=True)
    }
    _join(site, dex, amounts, fee_pips)


def _stable(
    site: Site, dex: Dex, symbols: tuple[str, ...], amplification: int, fee_pips: int
) -> None:
    tokens = site.in_order(*symbols)
    site.hands.send(
        site.contracts["balancer_composable_factory"],
        "create(string,string,address[],uint256,address[],uint256[],bool[],uint256,address)",
        "Stable",
        "SP",
        [one.address for one in tokens],
        amplification,
        [ZERO] * len(tokens),
        [0] * len(tokens),
        [False] * len(tokens),
        fee_pips * 10**12,
        site.hands.me,
    )
    amounts = {one.address: site.worth_raw(one, SIDE_USD * Decimal(2)) for one in tokens}
    _join(site, dex, amounts, fee_pips)


def _join(site: Site, dex: Dex, amounts: dict[str, int], fee_pips: int) -> None:
    """Give the pool that was created last what it begins with."""
    logs = site.hands.flush()[-1]["logs"]
    told = next(one for one in logs if one["topics"][0] == _REGISTERED)
    pool_id = told["topics"][1]
    address = "0x" + told["topics"][2][-40:]
    if _is_own(site, pool_id, address):
        amounts[address] = _SHARES_MAX
    amounts = dict(sorted(amounts.items()))
    given = list(amounts.values())
    site.hands.send(
        dex.factory,
        "joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))",
        bytes.fromhex(pool_id[2:]),
        site.hands.me,
        site.hands.me,
        (list(amounts), given, encode("(uint256,uint256[])", _INIT, given), False),
    )
    site.pools.append(
        WorldPool(
            dex=dex.name,
            protocol=dex.protocol,
            address=address,
            router=dex.factory,
            tokens=tuple(one for one in amounts if one != address),
            fee_pips=fee_pips,
            balancer_id=pool_id,
        )
    )


def _is_own(site: Site, pool_id: str, address: str) -> bool:
    """Say whether a pool's shares are among its tokens."""
    tokens, _, _ = site.hands.read(
        site.contracts["balancer_vault"],
        "getPoolTokens(bytes32)",
        ("address[]", "uint256[]", "uint256"),
        bytes.fromhex(pool_id[2:]),
    )
    return address in tokens
