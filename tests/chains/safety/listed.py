"""Tokens deployed on the local world, each with a pair against the wrapped coin."""

from typing import NamedTuple

from engine.sandbox.world.hands import Hands
from tests.chains.local_world import LocalWorld
from tests.chains.safety.compiled import tokens


class Listed(NamedTuple):
    token: str
    pool: str
    counter: str


PAIRED_RAW = 500 * 10**18


TICKS = (-887_220, 887_220)
FEE_PIPS = 3_000
SQRT_PRICE_X96 = 2**96


def list_token(world: LocalWorld, name: str) -> Listed:
    """Deploy a token of contracts/tokens, make a pair of it with half of its supply."""
    hands = world.hands(0)
    token = _deployed(hands, name)
    wrapped = world.token("WETH").address
    factory = next(one.factory for one in world.made.dexes if one.name == "Uniswap V2")
    hands.send(factory, "createPair(address,address)", token, wrapped)
    pool = hands.read(factory, "getPair(address,address)", ("address",), token, wrapped)
    supply = hands.read(token, "balanceOf(address)", ("uint256",), hands.me)
    hands.send(token, "transfer(address,uint256)", pool, supply // 2)
    hands.send(wrapped, "transfer(address,uint256)", pool, PAIRED_RAW)
    hands.send(pool, "mint(address)", hands.me)
    return _armed(hands, name, Listed(token, pool.lower(), wrapped))


def list_with_ticks(world: LocalWorld, name: str) -> Listed:
    """Deploy a token and make a pool of Uniswap V3 of it, at one for one."""
    hands = world.hands(0)
    token = _deployed(hands, name)
    wrapped = world.token("WETH").address
    positions = world.made.contracts["v3_positions"]
    first, second = sorted((token, wrapped))
    hands.send(
        positions,
        "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
        *(first, second, FEE_PIPS, SQRT_PRICE_X96),
    )
    hands.send(token, "approve(address,uint256)", positions, PAIRED_RAW)
    hands.send(wrapped, "approve(address,uint256)", positions, PAIRED_RAW)
    hands.send(
        positions,
        "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
        (first, second, FEE_PIPS, *TICKS, PAIRED_RAW, PAIRED_RAW, 0, 0, hands.me, 2**40),
    )
    factory = next(one.factory for one in world.made.dexes if one.name == "Uniswap V3")
    pool = hands.read(
        factory, "getPool(address,address,uint24)", ("address",), first, second, FEE_PIPS
    )
    return _armed(hands, name, Listed(token, pool.lower(), wrapped))


def list_in_vault(world: LocalWorld, name: str) -> Listed:
    """Deploy a token and give it to a contract that holds the tokens of many pools."""
    hands = world.hands(0)
    token = _deployed(hands, name)
    wrapped = world.token("WETH").address
    vault = world.made.contracts["balancer_vault"]
    hands.send(token, "transfer(address,uint256)", vault, 10**24)
    return _armed(hands, name, Listed(token, vault, wrapped))


SET_PAIR = "8187f516"


def _armed(hands: Hands, name: str, listed: Listed) -> Listed:
    """Let the token know its pool, if it is one that asks."""
    hands.flush()
    if SET_PAIR in tokens()[name] and _owner(hands, listed.token) == hands.me:
        hands.send(listed.token, "setPair(address)", listed.pool)
        hands.flush()
    return listed


def _deployed(hands: Hands, name: str) -> str:
    code = "0x" + tokens()[name]
    if name == "CloneMaker":
        maker = hands.deploy(code, "(address)", hands.me)
        return str(hands.read(maker, "made()", ("address",))).lower()
    return hands.deploy(code)


def _owner(hands: Hands, token: str) -> str:
    return str(hands.read(token, "owner()", ("address",))).lower()
