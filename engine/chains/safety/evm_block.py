"""The block that a probed contract believes itself to be in."""

import msgspec


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """What a contract can read of the block that comes next.

    Attributes:
        forked_at: number of the block whose state it is.
        number, time_s: what a contract reads; on Arbitrum the number is that of Ethereum's block.
        randomness: 32 bytes.
    """

    chain_id: int
    forked_at: int
    number: int
    time_s: int
    miner: str
    base_fee_wei: int
    gas_limit: int
    randomness: bytes
