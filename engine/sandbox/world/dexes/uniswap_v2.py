"""Uniswap V2, and two forks of it with other fees.

A fork is what forks are: the same contracts with other constants. Its router gets the fork's hash
of the pair's code and the fork's fee in place of Uniswap's.
"""

from dataclasses import dataclass
from typing import Final

from engine.domain.dexes import Dex
from engine.domain.pools import Protocol
from engine.sandbox.world.artifacts import Change, bytecode, digits_of, hash_of, with_constants
from engine.sandbox.world.site import FOR_EVER, SIDE_USD, WRAPPED, Site
from engine.sandbox.world.values import WorldPool

_FACTORY: Final = "@uniswap/v2-core/build/UniswapV2Factory.json"
_PAIR: Final = "@uniswap/v2-core/build/UniswapV2Pair.json"
_ROUTER: Final = "@uniswap/v2-periphery/build/UniswapV2Router02.json"
_PANCAKE: Final = "@pancakeswap-libs/pancake-swap-core/build"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Make:
    """A fork.

    Attributes:
        prefix: of its contracts' names.
        pair_changes: of the pair's code, which is in the factory's too.
        router_changes: besides that of the pair's hash.
    """

    name: str
    prefix: str
    protocol: Protocol
    fee_pips: int
    pairs: tuple[tuple[str, str], ...]
    factory: str = _FACTORY
    pair: str = _PAIR
    pair_changes: tuple[Change, ...] = ()
    router_changes: tuple[Change, ...] = ()


MAKES: Final = (
    _Make(
        name="Uniswap V2",
        prefix="v2",
        protocol=Protocol.UNISWAP_V2,
        fee_pips=3_000,
        pairs=((WRAPPED, "USDC"), (WRAPPED, "USDT"), ("WBTC", WRAPPED), ("DAI", "USDC")),
    ),
    # Pancake's first version, as its makers published it: 0.2 %.
    _Make(
        name="PancakeSwap V1",
        prefix="pancake_v1",
        protocol=Protocol.UNISWAP_V2,
        fee_pips=2_000,
        pairs=((WRAPPED, "USDT"), ("WBTC", "USDC")),
        factory=f"{_PANCAKE}/PancakeFactory.json",
        pair=f"{_PANCAKE}/PancakePair.json",
        router_changes=(("6103e5", "6103e6", 2),),  # 997 of 1000 become 998
    ),
    # Uniswap's code with a fee of 0.1 %: 3 of 1000 become 1 where the pair checks its product.
    _Make(
        name="Fork V2",
        prefix="fork_v2",
        protocol=Protocol.UNISWAP_V2,
        fee_pips=1_000,
        pairs=((WRAPPED, "USDC"), ("USDC", "USDT")),
        pair_changes=(("610beb84600363ffffffff", "610beb84600163ffffffff", 2),),
        router_changes=(("6103e5", "6103e7", 2),),
    ),
)


def make_v2(site: Site) -> None:
    """Deploy Uniswap V2 and its forks (``v2_factory``, ``v2_router``, ``pancake_v1_…``)."""
    for make in MAKES:
        _deploy(site, make)


def _deploy(site: Site, make: _Make) -> None:
    pair = with_constants(bytecode(make.pair), make.pair_changes)
    factory = site.hands.deploy(
        with_constants(bytecode(make.factory), make.pair_changes), "(address)", site.hands.me
    )
    own = digits_of(hash_of(bytecode(_PAIR)))
    router = site.hands.deploy(
        with_constants(
            bytecode(_ROUTER), ((own, digits_of(hash_of(pair)), 1), *make.router_changes)
        ),
        "(address,address)",
        factory,
        site.wrapped.address,
    )
    site.contracts[f"{make.prefix}_factory"] = factory
    site.contracts[f"{make.prefix}_router"] = router
    site.let_take(router)
    dex = Dex(
        name=make.name,
        chain=site.plan.chain,
        protocol=make.protocol,
        factory=factory,
        init_code_hash=hash_of(pair),
        fee_pips=make.fee_pips,
        is_proven=True,
    )
    site.dexes.append(dex)
    for symbols in make.pairs:
        _fill(site, dex, router, symbols)


def _fill(site: Site, dex: Dex, router: str, symbols: tuple[str, str]) -> None:
    a, b = site.in_order(*symbols)
    site.hands.send(
        router,
        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
        a.address,
        b.address,
        site.worth_raw(a, SIDE_USD),
        site.worth_raw(b, SIDE_USD),
        0,
        0,
        site.hands.me,
        FOR_EVER,
    )
    site.pools.append(
        WorldPool(
            dex=dex.name,
            protocol=dex.protocol,
            address=site.hands.read(
                dex.factory, "getPair(address,address)", ("address",), a.address, b.address
            ),
            router=router,
            tokens=(a.address, b.address),
            fee_pips=dex.fee_pips,
        )
    )
