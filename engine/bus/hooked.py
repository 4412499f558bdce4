"""Events that a provider's webhook told, on their way from the gateway to who follows the chain.

They are hints: what a pool is, its chain's nodes say. See docs/webhooks.md.
"""

from enum import IntEnum

import msgspec

from engine.bus.report import Report


class Level(IntEnum):
    """How sure a provider is of an event."""

    SEEN = 0
    """It is in a block."""
    CONFIRMED = 1
    """Its block is so many blocks deep."""
    REMOVED = 2
    """Its block was undone."""


class HookEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event of a contract, as a stream told it.

    Attributes:
        stream: name of the endpoint at which it came.
        chain: by its name.
        block_hash, tx_hash: 0x and 64 digits, in lower case.
        log_index: place among all events of its block.
        address: of the contract, in lower case.
        topics: 32 bytes each.
        received_at_ns: when the gateway had its whole body.
    """

    stream: str
    chain: str
    level: Level
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int
    address: str
    topics: tuple[bytes, ...]
    data: bytes
    received_at_ns: int


class HookFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What the gateway has counted of one endpoint since it began.

    Attributes:
        chain: that all of its events are of; empty where its bodies say it.
        taken: bodies that were signed, read and are on disk.
        forged: bodies with no right signature; nothing of them was read.
        unreadable: signed bodies that are not what the provider sends.
        old: signed bodies from so long ago that what they tell may have been told before.
        tests: bodies without an event, as providers send them to try an endpoint.
        refused: bodies that came while the disk or the memory took no more (answered 503).
        events, duplicates: told for the first time, and again.
        elsewhere: events of chains that nobody here follows.
        newest_at_ns: when the newest body was taken, 0 before the first.
        old_secrets: how many bodies an old secret signed since a new one is there.
    """

    stream: str
    provider: str
    chain: str = ""
    taken: int = 0
    forged: int = 0
    unreadable: int = 0
    old: int = 0
    tests: int = 0
    refused: int = 0
    events: int = 0
    duplicates: int = 0
    elsewhere: int = 0
    newest_at_ns: int = 0
    old_secrets: int = 0


class HookWord(msgspec.Struct, frozen=True, kw_only=True):
    """How the gateway's webhooks are, told now and then.

    Attributes:
        told_at_ns: when.
        waiting: events on disk that who follows their chain has not taken yet.
        commit_ms: the 99th of a hundred commits took so long.
        trouble: why bodies are refused now; empty if none are.
    """

    told_at_ns: int
    streams: list[HookFigures]
    waiting: int = 0
    commit_ms: float = 0.0
    trouble: str = ""


class HookLine(msgspec.Struct, frozen=True, kw_only=True):
    """One stream as its chain's nodes judge it, with what the gateway counted.

    Attributes:
        told: events of pools that are followed.
        right: of them, those that are in their block just so.
        ahead: of those, how many were told before a node told the block.
        wrong: events that their block has not, or has otherwise.
        missing: events of pools that the stream tells of, and that it did not tell in time;
            the nodes had each.
        late: of those, how many it told after all.
        branches: events of blocks that are on no branch that was followed.
        unjudged: events of pools that are not followed, or of blocks that are gone.
        gaps, gap_blocks: spans of blocks that the stream left out by its own count, and how many
            blocks those are; what was told later is taken off.
        triggers: swaps that had background work make way.
        is_doubted: it was wrong too often: nothing follows of what it tells until it is right.
        age_s: since its newest event, None before the first.
        lag_ms: p50 and p99 from the time of a block until an event of it came.
        lead_ms: half of what was told ahead came so long before the node's block.
    """

    stream: str
    told: int = 0
    right: int = 0
    ahead: int = 0
    wrong: int = 0
    missing: int = 0
    late: int = 0
    branches: int = 0
    unjudged: int = 0
    gaps: int = 0
    gap_blocks: int = 0
    triggers: int = 0
    is_doubted: bool = False
    age_s: float | None = None
    lag_ms: dict[str, float] = {}
    lead_ms: float | None = None
    figures: HookFigures | None = None


class HooksTaken(Report, frozen=True, kw_only=True):
    """What became of events that were handed over.

    Attributes:
        swaps: of them, those that are swaps in the next block of a pool that is followed.
        triggers: of those, how many had background work make way.
    """

    swaps: int = 0
    triggers: int = 0
