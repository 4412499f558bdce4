"""Markets: which venues, instruments, addresses and fees a run uses."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.errors import FatalError, TransientError
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.pools.snapshots import PoolSnapshot
from engine.sandbox.world.values import LocalChain
from engine.settings.schema import Settings
from engine.wiring.paths import Paths

LIVE_NOTE: Final = "live public market data; all executions are simulated (paper)"

SANDBOX_FEES_BPS: Final[Mapping[str, Decimal]] = {
    "binance": Decimal(10),
    "coinbase": Decimal(20),
    "bitstamp": Decimal(20),
    "gemini": Decimal(20),
    "kraken": Decimal(26),
}
"""Taker fees of the sandbox's accounts: a mid tier at each venue, so that the recordings, lined up,
show some opportunities. Live markets use each venue's entry tier unless told otherwise."""


class ChainSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the blocks of a chain come from.

    Attributes:
        block_ms: time between two of them.
        socket_path: of the Unix socket by which they come; empty for the network.
        tells_gas: whether it tells what gas costs, so that none is assumed before.
        bid_share_bps: see `BlockTerms`.
    """

    url: str
    block_ms: int
    socket_path: str = ""
    tells_gas: bool = False
    bid_share_bps: int = 0


class SandboxAnnouncement(msgspec.Struct, frozen=True):
    """What the sandbox says of itself, as far as it is needed here."""

    websocket_urls: dict[str, dict[str, str]]
    rest_urls: dict[str, str]
    pairs: dict[str, list[str]]
    market_note: str
    pools: list[PoolSnapshot]
    chains: dict[str, ChainSource] = {}
    local_chains: dict[str, LocalChain] = {}
    why_no_local_chains: str = ""
    user_stream_urls: dict[str, str] = {}


def basis_of(settings: Settings) -> Basis:
    """Return what the figures of a run are."""
    if settings.markets.source == "sandbox":
        return Basis.SANDBOX
    return Basis.TEST if settings.signer.signs == "test" else Basis.LIVE


def read_announcement(paths: Paths) -> SandboxAnnouncement:
    """Read where the sandbox is.

    Raises:
        TransientError: it has not announced itself.
        FatalError: the file cannot be understood.
    """
    try:
        content = paths.sandbox_announce.read_bytes()
    except OSError as error:
        raise TransientError(
            f"the sandbox has not announced itself at {paths.sandbox_announce}"
        ) from error
    try:
        return msgspec.json.decode(content, type=SandboxAnnouncement)
    except msgspec.MsgspecError as error:
        raise FatalError(f"{paths.sandbox_announce} cannot be understood: {error}") from error


def market_note(settings: Settings, paths: Paths) -> str:
    """Return the sentence that goes with every figure."""
    if settings.markets.source == "live":
        return LIVE_NOTE
    return read_announcement(paths).market_note


def pools_of(settings: Settings, paths: Paths) -> list[PoolSnapshot]:
    """Return the pools of a run at its start: those that the sandbox makes up; others come."""
    if settings.markets.source == "live":
        return []
    said = read_announcement(paths)
    return [one for one in said.pools if one.pool.chain not in said.local_chains]


def made_up_chains(settings: Settings, paths: Paths) -> dict[str, ChainSource]:
    """Return where the blocks of chains come from that the sandbox makes up."""
    if settings.markets.source == "live":
        return {}
    said = read_announcement(paths)
    return {name: one for name, one in said.chains.items() if name not in said.local_chains}


def fee_bps_taker(settings: Settings, venue: VenueId, entry_tier_bps: float) -> Decimal:
    """Return the taker fee of a venue: as set, else the sandbox's tier or the entry tier."""
    own = settings.costs.fee_bps_taker.get(venue)
    if own is not None:
        return own
    if settings.markets.source == "sandbox":
        return SANDBOX_FEES_BPS.get(venue, Decimal(str(entry_tier_bps)))
    return Decimal(str(entry_tier_bps))
