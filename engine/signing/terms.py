"""What the operator allows the signer, apart from what any plan or sender says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.networks import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningTerms:
    """What may be signed at all.

    Attributes:
        chain_ids: of the chains on which anything is signed, by their names.
        contracts: by chain and address, in lower case: keccak of the code that must be there.
        gas_day_wei: the most that what is signed in one UTC day may pay for gas, by chain; once
            for what carries plans out, and once more for what only protects.
        notional_day_usd: the most that plans signed in one UTC day may move.
        signatures_day: the most that is signed in one UTC day; likewise twice.
        tip_bps_max: the largest share of a gain that a builder may get.
        bump_bps: how much higher both fees of a replacement must be at the least.
        network: of what kind all of these chains are.
        signs_mixed: whether transactions are signed whose plans have orders beside them.
        usd_least: by asset, what one of it is reckoned with at the least.
    """

    chain_ids: Mapping[str, int]
    contracts: Mapping[str, Mapping[str, str]]
    gas_day_wei: Mapping[str, int]
    notional_day_usd: Decimal
    signatures_day: int
    tip_bps_max: int = 9_000
    bump_bps: int = 1_250
    network: Network = Network.SANDBOX
    signs_mixed: bool = False
    usd_least: Mapping[str, Decimal] = field(default_factory=dict)
    names: Mapping[int, str] = field(init=False)

    def __post_init__(self) -> None:
        names = {chain_id: name for name, chain_id in self.chain_ids.items()}
        object.__setattr__(self, "names", names)
