"""DEXs: what was deployed where, as a table has it or a sandbox announces it."""

import msgspec

from engine.domain.pools import Protocol


class Dex(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A DEX at a chain; addresses in lower case.

    Attributes:
        name: as the operator reads it, such as ``Uniswap V3``.
        factory: contract that tells of each new pool, or that holds all of them (V4, Balancer).
        deployer: which the pools' addresses are derived from; the factory if empty.
        init_code_hash: 0x and 64 digits, empty if addresses cannot be derived.
        implementation: whose minimal proxies (EIP-1167) the pools are, in place of a hash.
        fee_pips: fee of each of its pools in millionths, 0 where pools have their own.
        first_block: of the factory; no pool is older.
        is_proven: whether an address of a known pool was derived from this row, or the row was
            made here; what else is believed of a DEX is checked at a node before it counts.
    """

    name: str
    chain: str
    protocol: Protocol
    factory: str
    deployer: str = ""
    init_code_hash: str = ""
    implementation: str = ""
    fee_pips: int = 0
    first_block: int = 0
    is_proven: bool = False
