"""Settings and limits of the sandbox."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from engine.sandbox.errors import SandboxStartError
from engine.sandbox.fault_script import AnyFault
from engine.sandbox.lineup import LINEUP_PATH, RECORDINGS_FOLDER

SPEED_MAX = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """How the sandbox runs.

    Attributes:
        host, port: loopback address to listen on; port 0 takes a free one.
        speed: replay seconds per second; the venues' clocks run as fast, and never slower than
            ours.
        seed: seeds what a fault does to a frame.
        faults: script, by replay time; of markets and of accounts.
        is_paused: the replay stands still until `Sandbox.play` or `Sandbox.resume`.
        epoch_ns: venue time at the start of the replay; None for the real time.
        bitstamp_cache_s: replay time for which a Bitstamp REST book is kept, as its cache does.
        chains: local chains to run, by the names of those that they pose as.
        coinbase_padding_levels: still levels added to each side of each Coinbase book, for
            snapshots of several megabytes.
        clients_max: connections at once; further ones get an HTTP 503.
        queue_frames_max, queue_bytes_max: frames waiting for one client; a client that lets more
            pile up is disconnected and counted.
    """

    host: str = "127.0.0.1"
    port: int = 0
    speed: float = 1.0
    seed: int = 7
    faults: tuple[AnyFault, ...] = ()
    is_paused: bool = False
    epoch_ns: int | None = None
    bitstamp_cache_s: float = 0.0
    chains: tuple[str, ...] = ()
    coinbase_padding_levels: int = 0
    clients_max: int = 32
    queue_frames_max: int = 4_000
    queue_bytes_max: int = 32 * 1024 * 1024
    lineup_path: Path = LINEUP_PATH
    recordings_folder: Path = RECORDINGS_FOLDER

    def __post_init__(self) -> None:
        try:
            is_loopback = ip_address(self.host).is_loopback
        except ValueError:
            is_loopback = False
        if not is_loopback:
            raise SandboxStartError(
                f"host {self.host} is not a loopback address; the sandbox has no protection and "
                "listens on 127.0.0.1 only"
            )
        if not 0 <= self.port <= 65_535:  # noqa: PLR2004 - the range of TCP ports
            raise SandboxStartError(f"port {self.port} is not within 0 to 65535")
        if not 0 < self.speed <= SPEED_MAX:
            raise SandboxStartError(f"speed {self.speed:g} is not above 0 and up to {SPEED_MAX:g}")
