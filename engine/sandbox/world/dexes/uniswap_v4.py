"""Uniswap V4 with Permit2 and the universal router, one pool with the coin itself among others."""

import json
import re
from math import isqrt
from typing import Final

from eth_hash.auto import keccak

from engine.domain.dexes import Dex
from engine.domain.pools import Protocol
from engine.pools.tick_math import tick_at_sqrt_ratio
from engine.sandbox.world.abi import ZERO, encode
from engine.sandbox.world.artifacts import artifact
from engine.sandbox.world.dexes.ticks import narrow, whole
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.packages import NoWorldError
from engine.sandbox.world.site import FOR_EVER, SIDE_USD, WRAPPED, Site
from engine.sandbox.world.values import WorldPool, WorldToken

PERMIT2: Final = "0x000000000022d473030f116ddee9f6b43ac78ba3"
"""The same on every chain."""

_CORE: Final = "@uniswap/v4-core/out"
_MORE: Final = "@uniswap/v4-periphery/foundry-out"
_UNIVERSAL: Final = (
    "@uniswap/universal-router/artifacts/contracts/UniversalRouter.sol/UniversalRouter.json"
)

_PERMIT2_CODE: Final = re.compile(r"6040608081526004908136101561001557.*64736f6c6343000811000a")
"""As Uniswap's own script holds it to be put on a chain for tests."""

KEY: Final = "(address,address,uint24,int24,address)"
_MINT_POSITION, _SETTLE_PAIR, _SWEEP = 0x02, 0x0D, 0x14
_SUBSCRIBER_GAS: Final = 300_000
_AMOUNT_MAX: Final = 2**127
_ALLOWANCE_MAX: Final = 2**160 - 1
_EXPIRY_MAX: Final = 2**48 - 1

_POOLS: Final = (
    (("coin", "USDC"), 500, 10),
    ((WRAPPED, "USDT"), 3000, 60),
    (("USDC", "USDT"), 100, 1),
    (("WBTC", "USDC"), 3000, 60),
)


def make_v4(site: Site) -> None:
    """Deploy ``v4_manager``, ``v4_positions``, ``v4_quoter``, ``v4_view``, ``universal_router``."""
    site.contracts["permit2"] = PERMIT2
    site.hands.rpc.ask("anvil_setCode", PERMIT2, _permit2())
    manager = site.deploy(
        "v4_manager", f"{_CORE}/PoolManager.sol/PoolManager.json", "(address)", site.hands.me
    )
    site.deploy("v4_quoter", f"{_MORE}/V4Quoter.sol/V4Quoter.json", "(address)", manager)
    site.deploy("v4_view", f"{_MORE}/StateView.sol/StateView.json", "(address)", manager)
    positions = site.deploy(
        "v4_positions",
        f"{_MORE}/PositionManager.sol/PositionManager.json",
        "(address,address,uint256,address,address)",
        *(manager, PERMIT2, _SUBSCRIBER_GAS, ZERO, site.wrapped.address),
    )
    v2, v3 = (next(one for one in site.dexes if one.name == f"Uniswap {v}") for v in ("V2", "V3"))
    router = site.deploy(
        "universal_router",
        _UNIVERSAL,
        "((address,address,address,address,bytes32,bytes32,address,address,address,address))",
        (
            *(PERMIT2, site.wrapped.address, v2.factory, v3.factory),
            *(bytes.fromhex(one.init_code_hash[2:]) for one in (v2, v3)),
            *(manager, site.contracts["v3_positions"], positions, ZERO),
        ),
    )
    site.let_take(PERMIT2)
    permit_all(site.hands, site.tokens, [positions, router])
    dex = Dex(
        name="Uniswap V4",
        chain=site.plan.chain,
        protocol=Protocol.UNISWAP_V4,
        factory=manager,
        is_proven=True,
    )
    site.dexes.append(dex)
    for symbols, fee_pips, spacing in _POOLS:
        _fill(site, dex, symbols, fee_pips, spacing)


def permit_all(hands: Hands, tokens: tuple[WorldToken, ...], spenders: list[str]) -> None:
    """Let contracts take any amount by way of Permit2."""
    for token in tokens:
        for spender in spenders:
            hands.send(
                PERMIT2,
                "approve(address,address,uint160,uint48)",
                *(token.address, spender, _ALLOWANCE_MAX, _EXPIRY_MAX),
            )


def actions(*acts: tuple[int, str, tuple[object, ...]]) -> bytes:
    """Return what V4's routers and positions carry out: codes, types and arguments of actions."""
    codes = bytes(code for code, _, _ in acts)
    return encode("(bytes,bytes[])", codes, [encode(types, *given) for _, types, given in acts])


def _fill(site: Site, dex: Dex, symbols: tuple[str, str], fee_pips: int, spacing: int) -> None:
    """Make a pool with a narrow and a full position."""
    t0, t1 = site.in_order(*symbols)
    key = (t0.address, t1.address, fee_pips, spacing, ZERO)
    price = site.sqrt_price_x96(t0, t1)
    positions = site.contracts["v4_positions"]
    site.hands.send(dex.factory, f"initialize({KEY},uint160)", key, price)
    x_raw, y_raw = (site.worth_raw(token, SIDE_USD / 2) for token in (t0, t1))
    tick = tick_at_sqrt_ratio(price)
    for span, times in ((narrow(tick, spacing), 10), (whole(spacing), 1)):
        liquidity = isqrt(x_raw * y_raw) * times
        site.hands.send(
            positions,
            "modifyLiquidities(bytes,uint256)",
            actions(
                (
                    _MINT_POSITION,
                    f"({KEY},int24,int24,uint256,uint128,uint128,address,bytes)",
                    (key, *span, liquidity, _AMOUNT_MAX, _AMOUNT_MAX, site.hands.me, b""),
                ),
                (_SETTLE_PAIR, "(address,address)", (t0.address, t1.address)),
                (_SWEEP, "(address,address)", (ZERO, site.hands.me)),
            ),
            FOR_EVER,
            value=x_raw * 2 if t0.address == ZERO else 0,
        )
    site.pools.append(
        WorldPool(
            dex=dex.name,
            protocol=dex.protocol,
            address="0x" + keccak(encode(KEY, *key)).hex(),
            router=site.contracts["universal_router"],
            tokens=(t0.address, t1.address),
            fee_pips=fee_pips,
            tick_spacing=spacing,
        )
    )


def _permit2() -> str:
    text = json.dumps(artifact(f"{_MORE}/DeployPermit2.sol/DeployPermit2.json")["bytecode"])
    found = _PERMIT2_CODE.search(text)
    if found is None:
        raise NoWorldError("@uniswap/v4-periphery in contracts/node_modules holds no Permit2.")
    return "0x" + found[0]
