"""What background work advises the engine: each kind changes one thing that it does.

No advice loosens a limit. What it says is bounded here, once more where it is used by what the
chains themselves tell, and it ends: where there is none the engine does as if there never was.
"""

import math
from itertools import pairwise
from typing import Final

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.units import NS_PER_S

ADVICE_MAX: Final = 256
"""Most pieces of advice in force at once."""

HOLDS_S_MAX: Final = 86_400
"""No advice holds for longer; who still thinks so says it again."""

NAME_MAX: Final = 128
TIP_GWEI_MAX: Final = 10_000.0
GAS_RATIO_MAX: Final = 5.0
BLOCK_MS_MAX: Final = 600_000.0
EDGES_MAX: Final = 16
BLOCKS_MAX: Final = 16
USD_MAX: Final = 1e9
POOLS_MAX: Final = 512
WEIGHT_MIN: Final = 0.1
WEIGHT_MAX: Final = 10.0
LEGS_MIN: Final = 2
LEGS_MAX: Final = 5
VENUES_MAX: Final = 8
ANY_HOUR: Final = -1
HOURS: Final = 24


class TipAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """How much a chain's blocks ask for a place in the next one: what a transaction bids.

    It is held within what blocks of that chain were paid lately.
    """

    chain: str
    tip_gwei: float

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        _check(self.tip_gwei, 0.0, TIP_GWEI_MAX, "a tip in gwei")

    @property
    def subject(self) -> str:
        """What it is about: another piece of the same kind and subject takes its place."""
        return self.chain


class GasAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """How much dearer gas is to be reckoned with than a chain tells, as it rises.

    Attributes:
        ratio: of the price that it tells, 1 or more.
    """

    chain: str
    ratio: float

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        _check(self.ratio, 1.0, GAS_RATIO_MAX, "a ratio of gas prices")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return self.chain


class BlockTimeAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """When blocks of a chain come: how late is late, and until when a transaction makes the next.

    Attributes:
        block_ms: between two blocks.
        heard_ms: from when one is made until it is heard here.
        jitter_ms: by how much both vary.
    """

    chain: str
    block_ms: float
    heard_ms: float
    jitter_ms: float

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        _check(self.block_ms, 1.0, BLOCK_MS_MAX, "a time between blocks in ms")
        _check(self.heard_ms, 0.0, BLOCK_MS_MAX, "a delay of blocks in ms")
        _check(self.jitter_ms, 0.0, BLOCK_MS_MAX, "a jitter of blocks in ms")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return self.chain

    @property
    def late_ms(self) -> float:
        """After so long without a block the chain is late."""
        return 2.0 * self.block_ms + self.heard_ms + 4.0 * self.jitter_ms

    @property
    def send_within_ms(self) -> float:
        """So long after a block was heard a transaction still makes the next one."""
        return max(self.block_ms - 2.0 * self.heard_ms - 2.0 * self.jitter_ms, 0.0)


class InclusionAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """How probable it is that nobody takes an opportunity of a chain before us.

    Attributes:
        edges_usd: profits from which on each row counts, rising.
        ratios: a row for each of them: the probability that it is still there in the first block,
            the second ...; likelier in a later block it cannot be.
    """

    chain: str
    edges_usd: tuple[float, ...]
    ratios: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        if not 1 <= len(self.edges_usd) <= EDGES_MAX or len(self.ratios) != len(self.edges_usd):
            raise BadValueError(
                f"{len(self.edges_usd)} edges and {len(self.ratios)} rows of probabilities;"
                f" there must be as many of both, 1 to {EDGES_MAX}"
            )
        for edge in self.edges_usd:
            _check(edge, 0.0, USD_MAX, "a profit in USD")
        if any(low >= high for low, high in pairwise(self.edges_usd)):
            raise BadValueError("the profits of probabilities do not rise")
        for row in self.ratios:
            if not 1 <= len(row) <= BLOCKS_MAX:
                raise BadValueError(f"probabilities of {len(row)} blocks; 1 to {BLOCKS_MAX}")
            for ratio in row:
                _check(ratio, 0.0, 1.0, "a probability")
            if any(first < later for first, later in pairwise(row)):
                raise BadValueError("a probability rises with the blocks")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return self.chain

    def ratio(self, profit_usd: float, blocks: int) -> float:
        """Return how probable it is for a profit, so many blocks on (1 is the next one)."""
        row = self.ratios[0]
        for edge, own in zip(self.edges_usd, self.ratios, strict=True):
            if profit_usd >= edge:
                row = own
        return row[min(max(blocks, 1), len(row)) - 1]


class PoolsAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """Which pools of a chain are to be followed rather than others.

    Attributes:
        weights: pools by their addresses, and by how much more each counts than its worth says.
    """

    chain: str
    weights: tuple[tuple[str, float], ...]

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        if not 1 <= len(self.weights) <= POOLS_MAX:
            raise BadValueError(f"weights of {len(self.weights)} pools; 1 to {POOLS_MAX}")
        for address, weight in self.weights:
            _check_name(address, "a pool")
            _check(weight, WEIGHT_MIN, WEIGHT_MAX, "a weight of a pool")
        if len({address for address, _ in self.weights}) != len(self.weights):
            raise BadValueError("a pool has two weights")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return self.chain


class PathAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """A cycle through pools of a chain to be followed and looked at, found by no change there.

    Attributes:
        tokens: assets on its way.
        pools: addresses; each turns the token of its place into the next, the last into the first.
    """

    chain: str
    tokens: tuple[str, ...]
    pools: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        if len(self.tokens) != len(self.pools) or not LEGS_MIN <= len(self.pools) <= LEGS_MAX:
            raise BadValueError(
                f"a cycle of {len(self.tokens)} tokens and {len(self.pools)} pools; there must be"
                f" as many of both, {LEGS_MIN} to {LEGS_MAX}"
            )
        for token in self.tokens:
            _check_name(token, "a token")
        for pool in self.pools:
            _check_name(pool, "a pool")
        if len(set(self.tokens)) != len(self.tokens) or len(set(self.pools)) != len(self.pools):
            raise BadValueError("a cycle goes through a token or a pool twice")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return f"{self.chain}:{','.join(self.pools)}"


class PriorityAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """How often a sort of opportunity succeeded: which of several goes first.

    Attributes:
        pair: of its first leg, such as ``ETH-USDC``; empty for any.
        venues: all of which it goes through; none for any.
        hour: of the day in UTC; -1 for any.
        ratio: how often, above 0; where nothing is advised it is 1.
    """

    pair: str = ""
    venues: tuple[str, ...] = ()
    hour: int = ANY_HOUR
    ratio: float

    def __post_init__(self) -> None:
        if self.pair:
            _check_name(self.pair, "a pair")
        if len(self.venues) > VENUES_MAX:
            raise BadValueError(f"a priority of {len(self.venues)} venues; at most {VENUES_MAX}")
        for venue in self.venues:
            _check_name(venue, "a venue")
        if self.hour != ANY_HOUR and self.hour not in range(HOURS):
            raise BadValueError(f"hour {self.hour} of a priority; it must be from 0 to 23, or -1")
        _check(self.ratio, 0.001, 1.0, "a ratio of a priority")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return f"{self.pair}:{','.join(self.venues)}:{self.hour}"


class ThresholdProposal(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """Another value of a limit, proposed to a person: nothing changes without one.

    Attributes:
        term: the limit's name, such as ``net_edge_bps_min``.
        value: what is proposed, in the limit's unit.
        why: what speaks for it, in a sentence.
    """

    term: str
    value: float
    why: str

    def __post_init__(self) -> None:
        _check_name(self.term, "a limit")
        _check(self.value, 0.0, USD_MAX, "a value of a limit")
        _check_name(self.why, "why a limit should be another")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return self.term


class ShapeGasAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """How much more gas routes of a shape are to be reckoned with than their plans say.

    Attributes:
        shape: kinds of the pools in their order, see `domain.trials`.
        ratio: of what plans reckon with, 1 or more.
    """

    chain: str
    shape: str
    ratio: float

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        _check_name(self.shape, "a shape of routes")
        _check(self.ratio, 1.0, GAS_RATIO_MAX, "a ratio of gas")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return f"{self.chain} {self.shape}"


class ShapeOffAdvice(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """Routes of a shape are not to be sent, as they fail on a fork; and why, in words."""

    chain: str
    shape: str
    why: str

    def __post_init__(self) -> None:
        _check_name(self.chain, "a chain")
        _check_name(self.shape, "a shape of routes")
        _check_name(self.why, "why a shape of routes fails")

    @property
    def subject(self) -> str:
        """See `TipAdvice.subject`."""
        return f"{self.chain} {self.shape}"


AnyAdvice = (
    TipAdvice
    | GasAdvice
    | BlockTimeAdvice
    | InclusionAdvice
    | PoolsAdvice
    | PathAdvice
    | PriorityAdvice
    | ThresholdProposal
    | ShapeGasAdvice
    | ShapeOffAdvice
)


class DatedAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of advice, of which discovery it is, and until when it counts.

    Attributes:
        discovery: number of the discovery in the ledger; 0 of none.
    """

    discovery: int
    until_ns: int
    advice: AnyAdvice

    def __post_init__(self) -> None:
        if not 0 <= self.discovery < 2**63:
            raise BadValueError(f"advice of discovery {self.discovery}; that is no number of one")
        if not 0 < self.until_ns < 2**63:
            raise BadValueError(f"advice until {self.until_ns} ns; that is no time")

    @property
    def key(self) -> tuple[str, str]:
        """Its kind and what it is about: one of each is in force."""
        return type(self.advice).__name__, self.advice.subject

    @property
    def says(self) -> str:
        """What it is, in a few words for a person."""
        kind, subject = self.key
        return f"{kind.removesuffix('Advice').lower()} of {subject} (discovery {self.discovery})"


def check_advice(advice: tuple[DatedAdvice, ...], *, at_ns: int) -> None:
    """Check a whole set.

    Raises:
        BadValueError: it is too large, has two pieces about the same, or one that holds too long.
    """
    if len(advice) > ADVICE_MAX:
        raise BadValueError(f"{len(advice)} pieces of advice; at most {ADVICE_MAX} are taken")
    if len({one.key for one in advice}) != len(advice):
        raise BadValueError("two pieces of advice are about the same")
    latest_ns = max((one.until_ns for one in advice), default=0)
    if latest_ns > at_ns + HOLDS_S_MAX * NS_PER_S:
        raise BadValueError(f"advice holds for more than {HOLDS_S_MAX} s")


def _check(number: float, least: float, most: float, what: str) -> None:
    if not (math.isfinite(number) and least <= number <= most):
        raise BadValueError(f"{what} is {number}; it must be from {least} to {most}")


def _check_name(name: str, what: str) -> None:
    if not (0 < len(name) <= NAME_MAX and name.isprintable()):
        raise BadValueError(f"{what} is named {name[:40]!a}; 1 to {NAME_MAX} letters are")
