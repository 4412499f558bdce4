"""Uniswap V3: factory, router, quoter, positions."""

from decimal import Decimal
from typing import Final

from engine.domain.dexes import Dex
from engine.domain.pools import Protocol
from engine.pools.tick_math import tick_at_sqrt_ratio
from engine.sandbox.world.abi import ZERO
from engine.sandbox.world.artifacts import bytecode, hash_of
from engine.sandbox.world.dexes.ticks import narrow, whole
from engine.sandbox.world.site import FOR_EVER, SIDE_USD, WRAPPED, Site
from engine.sandbox.world.values import WorldPool

MINT: Final = (
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
)

_CORE: Final = "@uniswap/v3-core/artifacts/contracts"
_MORE: Final = "@uniswap/v3-periphery/artifacts/contracts"

_SPACINGS: Final = {100: 1, 500: 10, 3000: 60, 10_000: 200}

_POOLS: Final = (
    ((WRAPPED, "USDC"), 500),
    ((WRAPPED, "USDC"), 3000),
    ((WRAPPED, "USDT"), 3000),
    (("WBTC", WRAPPED), 3000),
    (("USDC", "USDT"), 100),
    (("DAI", "USDC"), 500),
)


def make_v3(site: Site) -> None:
    """Deploy ``v3_factory``, ``v3_router``, ``v3_quoter``, ``v3_ticks``, ``v3_positions``."""
    factory = site.deploy("v3_factory", f"{_CORE}/UniswapV3Factory.sol/UniswapV3Factory.json")
    site.hands.send(factory, "enableFeeAmount(uint24,int24)", 100, 1)
    both = ("(address,address)", factory, site.wrapped.address)
    router = site.deploy("v3_router", f"{_MORE}/SwapRouter.sol/SwapRouter.json", *both)
    site.deploy("v3_quoter", f"{_MORE}/lens/QuoterV2.sol/QuoterV2.json", *both)
    site.deploy("v3_ticks", f"{_MORE}/lens/TickLens.sol/TickLens.json")
    positions = site.deploy(
        "v3_positions",
        f"{_MORE}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json",
        "(address,address,address)",
        factory,
        site.wrapped.address,
        ZERO,
    )
    site.let_take(router)
    site.let_take(positions)
    dex = Dex(
        name="Uniswap V3",
        chain=site.plan.chain,
        protocol=Protocol.UNISWAP_V3,
        factory=factory,
        init_code_hash=hash_of(bytecode(f"{_CORE}/UniswapV3Pool.sol/UniswapV3Pool.json")),
        is_proven=True,
    )
    site.dexes.append(dex)
    for symbols, fee_pips in _POOLS:
        _fill(site, dex, symbols, fee_pips)


def _fill(site: Site, dex: Dex, symbols: tuple[str, str], fee_pips: int) -> None:
    """Make a pool with a narrow and a full position."""
    positions = site.contracts["v3_positions"]
    t0, t1 = site.in_order(*symbols)
    price = site.sqrt_price_x96(t0, t1)
    site.hands.send(
        positions,
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
        t0.address,
        t1.address,
        fee_pips,
        price,
    )
    spacing = _SPACINGS[fee_pips]
    amounts = [site.worth_raw(token, SIDE_USD / Decimal(2)) for token in (t0, t1)]
    for span in (narrow(tick_at_sqrt_ratio(price), spacing), whole(spacing)):
        what = (t0.address, t1.address, fee_pips, *span, *amounts, 0, 0, site.hands.me, FOR_EVER)
        site.hands.send(positions, MINT, what)
    address = site.hands.read(
        dex.factory,
        "getPool(address,address,uint24)",
        ("address",),
        *(t0.address, t1.address, fee_pips),
    )
    site.pools.append(
        WorldPool(
            dex=dex.name,
            protocol=dex.protocol,
            address=address,
            router=site.contracts["v3_router"],
            tokens=(t0.address, t1.address),
            fee_pips=fee_pips,
            tick_spacing=spacing,
        )
    )
