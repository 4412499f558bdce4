"""What goes to the process that probes, and what comes back."""

from typing import Final

import msgspec

from engine.chains.safety.evm_block import Block
from engine.domain.token_safety import Finding, Trait

TEXT_CHARACTERS_MAX: Final = 200
FINDINGS_MAX: Final = 40

UNTOUCHED: Final = "untouched"
"""What the process that probes says to its door: words to be taken for 0, since they are of an
account that was made up for this probe."""

SLOTS_READ: Final = 32
"""First words of a token's storage, in which addresses are looked for."""

OWNER_SLOTS: Final = (
    0x9016D09D72D40FDAE2FD8CEAC6B6234C7706214FD39C1CD1E609A0528C199300,  # owner by ERC-7201
    0xB53127684A568B3173AE13B9F8A6016E243E63B6E8EE1178D6A717850B5D6103,  # admin by EIP-1967
)


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A token to be probed.

    Attributes:
        url: of the door to the state of the block.
        pool: whoever holds the token for a pool: the pair, or the vault of all pools.
        counter: the pool's other token, by which it is bought.
        seed: from which the addresses of our accounts are made, so that no token knows them.
        calls_max: that may be made in all.
    """

    url: str
    block: Block
    token: str
    pool: str
    counter: str
    seed: bytes
    calls_max: int


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe found.

    Attributes:
        is_complete: everything was tried; if not, what was not found proves nothing.
        why_not: what kept it from being complete.
        name, symbol, decimals: as the token says them; None if it does not, or says nonsense.
    """

    is_complete: bool
    why_not: str = ""
    name: str | None = None
    symbol: str | None = None
    decimals: int | None = None
    findings: tuple[Finding, ...] = ()
    buy_tax_bps: int | None = None
    transfer_tax_bps: int | None = None
    sell_tax_bps: int | None = None
    gas_most: int = 0
    calls_count: int = 0


class Notes:
    """Findings as they come: each trait's first ones, no sentence too long."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}

    def add(self, trait: Trait, text: str) -> None:
        """Note a finding; said again, it is there once."""
        if len(self._found) < FINDINGS_MAX:
            self._found[Finding(trait, text[:TEXT_CHARACTERS_MAX])] = None

    def has(self, trait: Trait) -> bool:
        """Say whether something of this kind was found."""
        return any(one.trait is trait for one in self._found)

    @property
    def all(self) -> tuple[Finding, ...]:
        """Return what was found, in order."""
        return tuple(self._found)
