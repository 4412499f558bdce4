"""Deploys the real contracts, in an order that gives every world the same addresses."""

from collections.abc import Mapping
from typing import Final

from engine.domain.dexes import Dex
from engine.domain.pools import Protocol
from engine.sandbox.world.abi import UINT_MAX, ZERO
from engine.sandbox.world.artifacts import bytecode, init_code_hash, multicall3
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.plan import ChainPlan
from engine.sandbox.world.values import WorldToken

MULTICALL3: Final = "0xca11bde05977b3631167028862be2a173976ca11"
"""The same on every chain."""

_V2: Final = "@uniswap/v2-core/build"
_V3: Final = "@uniswap/v3-core/artifacts/contracts"
_V3_MORE: Final = "@uniswap/v3-periphery/artifacts/contracts"
_MINTABLE: Final = (
    "@aave/core-v3/artifacts/contracts/mocks/tokens/MintableERC20.sol/MintableERC20.json"
)
_STRING_MAX: Final = 31


def deploy_multicall(hands: Hands) -> str:
    """Put Multicall3 where it is on every chain."""
    made = hands.deploy(multicall3())
    hands.flush()
    code = hands.rpc.ask("eth_getCode", made, "latest")
    hands.rpc.ask("anvil_setCode", MULTICALL3, code)
    return MULTICALL3


def deploy_tokens(hands: Hands, plan: ChainPlan) -> tuple[WorldToken, ...]:
    """Deploy the chain's tokens, the wrapped form of its coin among them."""
    tokens = []
    for one in plan.tokens:
        if one.is_wrapped:
            address = hands.deploy(bytecode("canonical-weth/build/contracts/WETH9.json"))
            hands.flush()
            for slot, text in enumerate((one.name, one.symbol)):
                hands.rpc.ask("anvil_setStorageAt", address, hex(slot), _short_string(text))
        else:
            address = hands.deploy(
                bytecode(_MINTABLE), "(string,string,uint8)", one.name, one.symbol, one.decimals
            )
        tokens.append(
            WorldToken(symbol=one.symbol, address=address, decimals=one.decimals, asset=one.asset)
        )
    return tuple(tokens)


def deploy_v2(
    hands: Hands, chain: str, wrapped: str, *, prefix: str = "v2", name: str = "Uniswap V2"
) -> tuple[Dex, Mapping[str, str]]:
    """Deploy Uniswap V2: ``v2_factory``, ``v2_router``."""
    factory = hands.deploy(bytecode(f"{_V2}/UniswapV2Factory.json"), "(address)", hands.me)
    router = hands.deploy(
        bytecode("@uniswap/v2-periphery/build/UniswapV2Router02.json"),
        "(address,address)",
        factory,
        wrapped,
    )
    dex = Dex(
        name=name,
        chain=chain,
        protocol=Protocol.UNISWAP_V2,
        factory=factory,
        init_code_hash=init_code_hash(f"{_V2}/UniswapV2Pair.json"),
        fee_pips=3000,
    )
    return dex, {f"{prefix}_factory": factory, f"{prefix}_router": router}


def deploy_v3(hands: Hands, chain: str, wrapped: str) -> tuple[Dex, Mapping[str, str]]:
    """Deploy Uniswap V3: ``v3_factory``, ``v3_router``, ``v3_quoter``, ``v3_positions``."""
    factory = hands.deploy(bytecode(f"{_V3}/UniswapV3Factory.sol/UniswapV3Factory.json"))
    hands.send(factory, "enableFeeAmount(uint24,int24)", 100, 1)
    both = ("(address,address)", factory, wrapped)
    contracts = {
        "v3_factory": factory,
        "v3_router": hands.deploy(bytecode(f"{_V3_MORE}/SwapRouter.sol/SwapRouter.json"), *both),
        "v3_quoter": hands.deploy(bytecode(f"{_V3_MORE}/lens/QuoterV2.sol/QuoterV2.json"), *both),
        "v3_ticks": hands.deploy(bytecode(f"{_V3_MORE}/lens/TickLens.sol/TickLens.json")),
        "v3_positions": hands.deploy(
            bytecode(f"{_V3_MORE}/NonfungiblePositionManager.sol/NonfungiblePositionManager.json"),
            "(address,address,address)",
            factory,
            wrapped,
            ZERO,
        ),
    }
    dex = Dex(
        name="Uniswap V3",
        chain=chain,
        protocol=Protocol.UNISWAP_V3,
        factory=factory,
        init_code_hash=init_code_hash(f"{_V3}/UniswapV3Pool.sol/UniswapV3Pool.json"),
    )
    return dex, contracts


def approve_all(hands: Hands, tokens: tuple[WorldToken, ...], spenders: list[str]) -> None:
    """Let contracts take any amount of each token."""
    for token in tokens:
        for spender in spenders:
            hands.send(token.address, "approve(address,uint256)", spender, UINT_MAX)


def _short_string(text: str) -> str:
    """Return the word in which Solidity keeps a text of up to 31 bytes."""
    content = text.encode()
    assert len(content) <= _STRING_MAX
    return "0x" + (content.ljust(_STRING_MAX, b"\0") + bytes([len(content) * 2])).hex()
