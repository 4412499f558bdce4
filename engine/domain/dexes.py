"""DEXs: what was deployed where, as a table has it or a sandbox announces it."""

import msgspec

from engine.domain.pools import Protocol


class Dex(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A DEX at a chain.

    Attributes:
        name: as the operator reads it, such as ``Uniswap V3``.
        factory: contract that tells of each new pool, or that holds all of them (V4, Balancer).
        deployer: which the pools' addresses are derived from; the factory if empty.
        init_code_hash: 0x and 64 digits, empty if addresses cannot be derived.
        fee_pips: fee of each of its pools in millionths, 0 where pools have their own.
        first_block: of the factory; no pool is older.
    """

    name: str
    chain: str
    protocol: Protocol
    factory: str
    deployer: str = ""
    init_code_hash: str = ""
    fee_pips: int = 0
    first_block: int = 0
