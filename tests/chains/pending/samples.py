"""Calls of every function that is decoded, encoded by eth_abi from its signature."""

from typing import Any, Final

from eth_abi.abi import encode
from eth_hash.auto import keccak

from engine.chains.pending.router_list import FUNCTIONS, Kind
from tests.chains.pending.routers_there import USDC, WBTC, WETH

SENDER: Final = "0x" + "5e" * 20
FRIEND: Final = "0x" + "f1" * 20
ROUTER_AS_RECIPIENT: Final = "0x" + "0" * 39 + "2"
NATIVE: Final = "0x" + "0" * 40
DEADLINE_S: Final = 1_800_000_000
ONE: Final = 10**18

UNISWAP_ROUTER: Final = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"
SWAP_ROUTER: Final = "0xe592427a0aece92de3edee1f18e0157c05861564"
SWAP_ROUTER_02: Final = "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45"
UNIVERSAL: Final = "0x66a9893cc07d91d95644aedd05d03f95e1dba8af"
UNIVERSAL_2_1: Final = "0x4c82d1fbfe28c977cbb58d8c7ff8fcf9f70a2cca"
ONE_INCH_5: Final = "0x1111111254eeb25477b68fb85ed929f73a960582"
ONE_INCH_6: Final = "0x111111125421ca6dc452d289314280a0f8842a65"
ZERO_X: Final = "0xdef1c0ded9bec7f1a1670819833240f027b25eff"
PARASWAP: Final = "0x6a000f20005980200259b80c5102003040001068"
KYBER: Final = "0x6131b5fae19ea4f9d964eac0408e4408b66337b5"
OPEN_OCEAN: Final = "0x6352a56caadc4f1e25cd6c75970fa768a3304e64"

USDC_WETH_PAIR: Final = "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc"
USDC_WETH_500: Final = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"


def _types(signature: str) -> list[str]:
    """Split the arguments of a signature, tuples whole."""
    inner = signature[signature.index("(") + 1 : -1]
    types, depth = [""], 0
    for letter in inner:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            types.append("")
        else:
            types[-1] += letter
    return types


def call(signature: str, *arguments: Any) -> bytes:
    """Encode a call."""
    return keccak(signature.encode())[:4] + encode(_types(signature), arguments)


def packed(*parts: str | int) -> bytes:
    """Encode a path: tokens as they are, fees in three bytes."""
    return b"".join(
        part.to_bytes(3) if isinstance(part, int) else bytes.fromhex(part[2:]) for part in parts
    )


def universal(*commands: tuple[int, bytes], deadline_s: int | None = DEADLINE_S) -> bytes:
    """Encode a call of a universal router."""
    plan = bytes(command for command, _ in commands), [text for _, text in commands]
    if deadline_s is None:
        return call("execute(bytes,bytes[])", *plan)
    return call("execute(bytes,bytes[],uint256)", *plan, deadline_s)


def plan(*commands: tuple[int, bytes]) -> bytes:
    """Encode the input of a sub-plan, or of V4's actions."""
    codes = bytes(command for command, _ in commands)
    return encode(["bytes", "bytes[]"], [codes, [text for _, text in commands]])


def packed_swap(
    recipient: str, amount: int, limit: int, path: bytes, *, is_user: bool = True
) -> bytes:
    """Encode a universal router's swap through pools with fees."""
    types = ["address", "uint256", "uint256", "bytes", "bool"]
    return encode(types, [recipient, amount, limit, path, is_user])


def pair_swap(
    recipient: str, amount: int, limit: int, path: list[str], *, is_user: bool = True
) -> bytes:
    """Encode a universal router's swap through pairs."""
    types = ["address", "uint256", "uint256", "address[]", "bool"]
    return encode(types, [recipient, amount, limit, path, is_user])


KEY: Final = "(address,address,uint24,int24,address)"
PATH_KEY: Final = "(address,uint24,int24,address,bytes)"


def v4_single(key: tuple[Any, ...], *, is_zero_in: bool, amount: int, limit: int) -> bytes:
    """Encode V4's swap in one pool, as its router has it since 2.0."""
    types = [f"({KEY},bool,uint128,uint128,bytes)"]
    return encode(types, [(key, is_zero_in, amount, limit, b"")])


def v4_path_2_1(currency: str, keys: list[tuple[Any, ...]], *, amount: int, limit: int) -> bytes:
    """Encode V4's swap through several pools, as its router has it since 2.1.0."""
    types = [f"(address,{PATH_KEY}[],uint256[],uint128,uint128)"]
    return encode(types, [(currency, keys, [], amount, limit)])


def v4_path(currency: str, keys: list[tuple[Any, ...]], *, amount: int, limit: int) -> bytes:
    """Encode V4's swap through several pools, as its router has it in 2.0."""
    return encode([f"(address,{PATH_KEY}[],uint128,uint128)"], [(currency, keys, amount, limit)])


DESCRIBED: Final = (WETH, USDC, FRIEND, SENDER, ONE, 3_000, 0)
_KYBER_TRADE: Final[tuple[Any, ...]] = (USDC, WETH, [], [], [], [], SENDER, 5_000, 7, 0, b"")
_DEX: Final = int(USDC_WETH_PAIR, 16)

SAMPLES: Final[dict[str, tuple[str, int, bytes]]] = {
    "pairs, exact in": (
        UNISWAP_ROUTER,
        0,
        call(
            "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
            *(ONE, 3_000, [WETH, USDC, WBTC], FRIEND, DEADLINE_S),
        ),
    ),
    "pairs, exact out for native coins": (
        UNISWAP_ROUTER,
        ONE,
        call(
            "swapETHForExactTokens(uint256,address[],address,uint256)",
            *(3_000, [WETH, USDC], FRIEND, DEADLINE_S),
        ),
    ),
    "one pool, exact in": (
        SWAP_ROUTER,
        0,
        call(
            "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
            (USDC, WETH, 500, FRIEND, DEADLINE_S, 5_000, 7, 0),
        ),
    ),
    "path, exact out": (
        SWAP_ROUTER,
        0,
        call(
            "exactOutput((bytes,address,uint256,uint256,uint256))",
            (packed(WBTC, 3_000, WETH, 500, USDC), FRIEND, DEADLINE_S, 9, 5_000),
        ),
    ),
    "multicall within a multicall": (
        SWAP_ROUTER_02,
        0,
        call(
            "multicall(uint256,bytes[])",
            DEADLINE_S,
            [
                call(
                    "multicall(bytes[])",
                    [
                        call(
                            "exactInput((bytes,address,uint256,uint256))",
                            (packed(USDC, 500, WETH), ROUTER_AS_RECIPIENT, 5_000, 7),
                        )
                    ],
                ),
                call("unwrapWETH9(uint256,address)", 7, FRIEND),
            ],
        ),
    ),
    "universal": (
        UNIVERSAL,
        ONE,
        universal(
            (0x0B, encode(["address", "uint256"], [ROUTER_AS_RECIPIENT, ONE])),
            (0x08, pair_swap(FRIEND, ONE // 2, 3, [WETH, USDC], is_user=False)),
            (0x80 | 0x21, plan((0x00, packed_swap(FRIEND, 5, 1, packed(WETH, 500, USDC))))),
            (
                0x10,
                plan(
                    (
                        0x06,
                        v4_single(
                            (USDC, WETH, 500, 10, NATIVE), is_zero_in=False, amount=7, limit=1
                        ),
                    ),
                    (0x0C, encode(["address", "uint256"], [WETH, 7])),
                    (0x0F, encode(["address", "uint256"], [USDC, 1])),
                ),
            ),
            (0x04, encode(["address", "address", "uint256"], [USDC, FRIEND, 1])),
        ),
    ),
    "universal, paths of V4": (
        UNIVERSAL,
        0,
        universal(
            (
                0x10,
                plan(
                    (
                        0x07,
                        v4_path(
                            NATIVE,
                            [(USDC, 500, 10, NATIVE, b""), (WBTC, 3_000, 60, NATIVE, b"")],
                            amount=7,
                            limit=1,
                        ),
                    ),
                    (
                        0x09,
                        v4_path(WBTC, [(USDC, 3_000, 60, NATIVE, b"")], amount=7, limit=9),
                    ),
                    (0x0B, encode(["address", "uint256", "bool"], [NATIVE, 0, True])),
                    (0x0E, encode(["address", "address", "uint256"], [WBTC, FRIEND, 0])),
                ),
            ),
            deadline_s=None,
        ),
    ),
    "1inch 5, unoswap": (
        ONE_INCH_5,
        0,
        call(
            "unoswap(address,uint256,uint256,uint256[])",
            *(WETH, ONE, 3, [_DEX | 997_000_000 << 160 | 1 << 255]),
        ),
    ),
    "1inch 6, unoswap": (
        ONE_INCH_6,
        0,
        call(
            "unoswapTo2(uint256,uint256,uint256,uint256,uint256,uint256)",
            *(int(FRIEND, 16), int(USDC, 16), 5_000, 3, _DEX | 1 << 247),
            1 << 253 | int(USDC_WETH_500, 16),
        ),
    ),
    "1inch 6, swap": (
        ONE_INCH_6,
        0,
        call(
            "swap(address,(address,address,address,address,uint256,uint256,uint256),bytes)",
            *(FRIEND, DESCRIBED, b"hidden"),
        ),
    ),
    "0x, pairs": (
        ZERO_X,
        0,
        call("sellToUniswap(address[],uint256,uint256,bool)", [WETH, USDC], ONE, 3, True),
    ),
    "ParaSwap": (
        PARASWAP,
        0,
        call(
            "swapExactAmountIn(address,(address,address,uint256,uint256,uint256,bytes32,address),"
            "uint256,bytes,bytes)",
            *(FRIEND, (USDC, WETH, 5_000, 7, 8, b"\0" * 32, SENDER), 0, b"", b""),
        ),
    ),
    "KyberSwap": (
        KYBER,
        0,
        call(
            "swap((address,address,bytes,(address,address,address[],uint256[],address[],uint256[],"
            "address,uint256,uint256,uint256,bytes),bytes))",
            (FRIEND, NATIVE, b"hidden", _KYBER_TRADE, b""),
        ),
    ),
    "OpenOcean": (
        OPEN_OCEAN,
        0,
        call(
            "swap(address,(address,address,address,address,uint256,uint256,uint256,uint256,address,"
            "bytes),(uint256,uint256,uint256,bytes)[])",
            FRIEND,
            (USDC, WETH, FRIEND, SENDER, 5_000, 7, 8, 0, NATIVE, b""),
            [(1, 2, 3, b"hidden")],
        ),
    ),
}
"""Whom it calls, native coins with it, calldata."""

SELECTORS: Final = sorted({selector for kind in Kind for selector in FUNCTIONS[kind]})
