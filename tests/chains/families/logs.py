"""Events as contracts write them, encoded by `eth_abi`: general, slow, and not ours."""

from collections.abc import Sequence
from decimal import Decimal

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from engine.chains.ports import Log
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol

POOL_ADDRESS = "0x" + "ab" * 20
BLOCK_HASH = "0x" + "0b" * 32


def make_pool(
    protocol: Protocol = Protocol.UNISWAP_V2, address: str = POOL_ADDRESS, fee: str = "0.003"
) -> Pool:
    return Pool(
        chain="ethereum",
        protocol=protocol,
        address=address,
        tokens=((AssetCode("ETH"), 18), (AssetCode("USDC"), 6)),
        fee_ratio=Decimal(fee),
        gas_units=100_000,
    )


def make_log(
    signature: str,
    indexed: Sequence[object] = (),
    values: Sequence[object] = (),
    *,
    indexed_at: Sequence[int] = (),
    address: str = POOL_ADDRESS,
) -> Log:
    """Encode an event of this signature; `indexed_at` says which of its values are topics."""
    types = types_of(signature)
    plain = [one for at, one in enumerate(types) if at not in indexed_at]
    topics = [encode([types[at]], [value]) for at, value in zip(indexed_at, indexed, strict=True)]
    return raw_log(keccak(text=signature), *topics, data=encode(plain, values), address=address)


def raw_log(*topics: bytes, data: bytes, address: str = POOL_ADDRESS) -> Log:
    return Log(
        address=address,
        topics=topics,
        data=data,
        block_number=1,
        block_hash=BLOCK_HASH,
        tx_hash="0x" + "0c" * 32,
        index=0,
    )


def types_of(signature: str) -> list[str]:
    return signature.partition("(")[2].removesuffix(")").split(",")
