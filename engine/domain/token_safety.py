"""What is known of a token's behaviour: a verdict with its evidence, which does not last.

A pool's formula takes a token for one that arrives whole, cannot be stopped and stays what it is. A
token that is none of that must not be in any route, however good the route looks.
"""

from enum import StrEnum
from typing import Final

import msgspec


class Standing(StrEnum):
    """Whether a token may be in a route."""

    SAFE = "safe"
    TAXED = "taxed"
    """Nothing worse than a tax that nobody can change; no pool's formula here reckons with one."""
    REFUSED = "refused"
    UNKNOWN = "unknown"
    """It could not be probed to the end: nothing is known of it."""


class Trait(StrEnum):
    """What a probe can find; each one's text carries the figures."""

    BUY_FAILS = "buy_fails"
    SELL_FAILS = "sell_fails"
    TRANSFER_FAILS = "transfer_fails"
    COOLDOWN = "cooldown"
    SIZE_LIMITED = "size_limited"
    TAXED = "taxed"
    REBASES = "rebases"
    RETURNS_FALSE = "returns_false"
    MISLEADS = "misleads"
    """What it says of a transfer or a balance is not so."""
    COSTS_GAS = "costs_gas"
    CALLS_BACK = "calls_back"
    ASKS_OTHERS = "asks_others"
    """A transfer depends on another contract, which was not probed."""
    MOVES_POOL = "moves_pool"
    """A transfer between two wallets changes what a pool holds."""
    HOSTILE_NAME = "hostile_name"
    IMPERSONATES = "impersonates"
    NO_CONTRACT = "no_contract"
    SELF_DESTRUCTS = "self_destructs"
    TELLS_PROBES = "tells_probes"
    """It could behave otherwise in a probe than in a block."""
    UPGRADEABLE = "upgradeable"
    CAN_STOP = "can_stop"
    CAN_BLOCK = "can_block"
    CAN_TAX = "can_tax"
    CAN_TAKE = "can_take"
    CAN_MINT = "can_mint"
    NO_RETURN_VALUE = "no_return_value"
    NOT_PROBED = "not_probed"


TRUSTED_POWERS: Final = frozenset(
    {
        Trait.UPGRADEABLE,
        Trait.ASKS_OTHERS,
        Trait.CAN_STOP,
        Trait.CAN_BLOCK,
        Trait.CAN_TAX,
        Trait.CAN_TAKE,
        Trait.SELF_DESTRUCTS,
        Trait.TELLS_PROBES,
    }
)
"""What somebody could do and has not done: told of a token in the curated table, whose issuer is
trusted by whoever holds it, and a refusal of any other token."""

HARMLESS: Final = frozenset({Trait.CAN_MINT, Trait.NO_RETURN_VALUE})
"""Told and never a refusal: more supply moves a price, which a pool then shows."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that a probe found, in a sentence with its figures."""

    trait: Trait
    text: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a probe says of a token, and for how long.

    Attributes:
        token: its address, in lower case.
        symbol: what it calls itself, cut short, in printable characters of ASCII.
        block_number, block_hash: the state that it was probed on.
        judged_at_s, until_s: when, and from when on it holds no more; seconds since 1970.
        reasons: why it is not safe; `warnings`: what else there is to know.
        buy_tax_bps, transfer_tax_bps, sell_tax_bps: measured, rounded up; None if not measured.
    """

    chain: str
    token: str
    symbol: str
    standing: Standing
    block_number: int
    block_hash: str
    judged_at_s: int
    until_s: int
    reasons: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    buy_tax_bps: int | None = None
    transfer_tax_bps: int | None = None
    sell_tax_bps: int | None = None
    is_curated: bool = False

    def may_enter(self, now_s: int) -> bool:
        """Say whether the token may be in a route now; a clock set back makes no verdict older."""
        return self.standing is Standing.SAFE and self.judged_at_s <= now_s < self.until_s
