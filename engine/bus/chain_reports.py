"""What the role `chains` answers: how chains are, and which pools of them are followed."""

import msgspec

from engine.bus.hooked import HookLine
from engine.bus.reports import Report
from engine.domain.block_facts import BlockFact
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis


class ProviderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One provider of a chain's nodes, by a name without its key.

    Attributes:
        state: in a word; ``good`` if nothing speaks against it.
        why: what does.
        lag_blocks: how many blocks others have more, None if nobody knows.
    """

    name: str
    state: str
    why: str
    latency_ms: float
    lag_blocks: int | None


class ChainLine(msgspec.Struct, frozen=True, kw_only=True):
    """One chain.

    Attributes:
        head: number of the newest block that was taken, None before the first.
        head_age_s: since that block was made, by the chain's own clock.
        behind_blocks: how many the nodes have more.
        final: number of the newest block that stays, None if nobody says.
        finality_s: how long that takes, about.
        trouble: what speaks against the chain now; empty if nothing does.
        pools_live, pools_stale: of those that are followed.
        stale: how many pools are not live, by reason.
        left_out: how many known pools are not followed, by reason.
        deepest: most blocks that one reorganisation undid.
        counts: how often which thing happened, by its name.
        listeners: how many engines hear its blocks.
        lag_ms: p50 and p99 from when a block was heard of until it was told to the engine.
        tokens: how many tokens of its pools have which verdict, by its word.
        warnings: what is not as it should be, and holds up nothing.
        pending: of transactions that wait for its blocks, how often which thing happened, by its
            name: heard, predicted exactly, and others.
        ahead, ahead_kept: events that a sequencer has confirmed ahead of their block, of blocks
            that have come since; and those of them that were in it.
        hooks: webhooks that tell of it.
    """

    chain: str
    head: int | None
    head_age_s: float
    block_ms: int
    behind_blocks: int
    final: int | None
    finality_s: int
    trouble: str
    pools_live: int
    pools_stale: int
    stale: dict[str, int]
    left_out: dict[str, int]
    reorganisations: int
    deepest: int
    gaps: int
    counts: dict[str, int]
    listeners: int
    providers: list[ProviderLine]
    pending: dict[str, int] = {}
    ahead: int = 0
    ahead_kept: int = 0
    lag_ms: dict[str, float] = {}
    warnings: list[str] = []
    tokens: dict[str, int] = {}
    hooks: list[HookLine] = []


def away_line(chain: str, why: str) -> ChainLine:
    """Return the line of a chain whose process is away."""
    return ChainLine(
        chain=chain,
        head=None,
        head_age_s=0.0,
        block_ms=0,
        behind_blocks=0,
        final=None,
        finality_s=0,
        trouble=why,
        pools_live=0,
        pools_stale=0,
        stale={},
        left_out={},
        reorganisations=0,
        deepest=0,
        gaps=0,
        counts={},
        listeners=0,
        providers=[],
    )


class ChainsReport(Report, frozen=True, kw_only=True):
    """All chains that are followed."""

    basis: Basis
    chains: list[ChainLine]


class PoolLine(msgspec.Struct, frozen=True, kw_only=True):
    """One pool that is followed.

    Attributes:
        venue: protocol and chain, as the engine names it.
        worth_usd: what was in it when it was chosen.
        why: why it is not live; empty if it is.
        since: number of the block since which it is not, 0 if it is.
    """

    chain: str
    dex: str
    venue: VenueId
    address: str
    assets: tuple[str, ...]
    fee_text: str
    worth_usd: float
    why: str
    since: int


def richest_first(line: PoolLine) -> tuple[float, str, str]:
    """Return what pools are sorted by."""
    return -line.worth_usd, line.chain, line.address


class PoolsReport(Report, frozen=True, kw_only=True):
    """A page of pools, those with the most in them first.

    Attributes:
        count: of all pools that were asked for.
        first: place of the first one here, from 0 on.
        by_dex: how many are followed, by chain and DEX.
        unsafe: how many pools that are rich enough are left out for their tokens.
    """

    basis: Basis
    count: int
    live: int
    first: int
    pools: list[PoolLine]
    by_dex: list[tuple[str, str, int]]
    unsafe: int = 0


class PoolRates(msgspec.Struct, frozen=True, kw_only=True):
    """A pool as research is given it; see `background.wants.PoolsGiven`."""

    dex: str
    venue: str
    place: str
    address: str
    tokens: tuple[str, ...]
    fee_bps: float
    usd: float
    is_followed: bool
    log_rates: tuple[tuple[str, str, float], ...]


class PoolRatesReport(Report, frozen=True, kw_only=True):
    """Pools of a chain, the richest first; `left_out` poorer ones are not here."""

    is_followed: bool
    pools: list[PoolRates]
    left_out: int = 0


class BlockFactsReport(Report, frozen=True, kw_only=True):
    """Newest blocks of a chain that stand, the oldest first.

    Attributes:
        left_out: how many of those that were asked for are not here: they are not kept, or were one
            too many for an answer.
    """

    chain: str
    blocks: list[BlockFact]
    left_out: int
