"""The data directory: what lies where, and whether it can be used at all."""

import contextlib
import errno
import os
import re
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from engine.bus.shared_file import shared_file
from engine.bus.unix_socket import check_socket_path
from engine.domain.engines import ENGINE_ID_PATTERN, MAIN
from engine.domain.errors import FatalError
from engine.operate.kill_latch import EngineLatches, KillLatch
from engine.storage.ledger_settings import LEASE_NAME

PRIVATE_FILES: Final = ("ledger.sqlite3*", "*.lock", "kill-latch", "installation")
PRIVATE_FOLDERS: Final = (
    *("run", "recordings", "backups", "logs", "exports", "charts", "chains", "background"),
    *("engines", "signer", "sender", "trader", "gateway", "health"),
)
MARKER: Final = "installation"
"""Made once with the latch beside it: where it is and the latch is not, somebody removed that."""

OF_AN_ENGINE: Final = frozenset({"engine", "supervisor"})
"""Roles that each engine has; the others are of the installation."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where an installation keeps what, and where its roles meet.

    Ledger, chat and sandbox are the installation's. What an engine has for itself lies in a folder
    of its id, that of the engine `main` where an installation with one engine always had it.

    Attributes:
        bus_url: of a Redis server; None for sockets of this machine.
        engine_id: of the engine that is meant; an installation may have several.
    """

    data_dir: Path
    bus_url: str | None = field(default=None, repr=False)
    engine_id: str = MAIN

    def of(self, engine_id: str) -> "Paths":
        """Return the paths of another engine of the installation."""
        return replace(self, engine_id=engine_id)

    def engine_ids(self) -> list[str]:
        """Return the engines that ever ran here, `main` and this one."""
        try:
            found = {one.name for one in self.engines.iterdir()}
        except OSError:
            found = set()
        known = {
            one
            for one in found
            if re.fullmatch(ENGINE_ID_PATTERN, one) and (self.engines / one / MARKER).exists()
        }
        return sorted(known | {MAIN, self.engine_id})

    def socket(self, role: str) -> Path:
        """Return the socket of a role: all lie in one folder, as an address must be short."""
        is_anothers = role in OF_AN_ENGINE and self.engine_id != MAIN
        name = f"{role}-{self.engine_id}.sock" if is_anothers else f"{role}.sock"
        return self.data_dir / "run" / name

    @property
    def engines(self) -> Path:
        """Parent of the engines' own folders."""
        return self.data_dir / "engines"

    def latches(self) -> EngineLatches:
        """Return the latch of all engines and this one's own."""
        return EngineLatches(KillLatch(self.data_dir), KillLatch(self.engines / self.engine_id))

    @property
    def home(self) -> Path:
        """Where this engine keeps what is its own."""
        return self.data_dir if self.engine_id == MAIN else self.engines / self.engine_id

    @property
    def run(self) -> Path:
        """What exists while this engine runs, such as its locks."""
        return self.home / "run"

    @property
    def engine_socket(self) -> Path:
        """Socket of the engine role."""
        return self.socket("engine")

    @property
    def ledger_socket(self) -> Path:
        """Socket of the ledger role."""
        return self.socket("ledger")

    @property
    def blocks_socket(self) -> Path:
        """Socket by which the role `chains` serves the blocks of all chains."""
        return self.socket("blocks")

    @property
    def chains(self) -> Path:
        """What is known of chains, over restarts; all of it can be asked again."""
        return self.data_dir / "chains"

    @property
    def hold_page(self) -> Path:
        """Where background work is pushed aside, of all engines of the installation."""
        return shared_file(self.data_dir / "run", "hold")

    @property
    def gateway(self) -> Path:
        """Hashes of the keys by which programs and browsers come in."""
        return self.data_dir / "gateway"

    @property
    def health(self) -> Path:
        """How components stood when, and which incidents there were."""
        return self.data_dir / "health"

    @property
    def signer(self) -> Path:
        """The wallet's keystore, and what was signed with it."""
        return self.data_dir / "signer"

    @property
    def sender(self) -> Path:
        """What was handed over to be sent, and which nonces are used."""
        return self.data_dir / "sender"

    @property
    def trader(self) -> Path:
        """Which orders were handed over, and what became of them."""
        return self.data_dir / "trader"

    @property
    def background(self) -> Path:
        """What background tasks learned, how their runs ended, and which are switched off."""
        return self.data_dir / "background"

    @property
    def sandbox_announce(self) -> Path:
        """Where the sandbox says on which port it is."""
        return self._run_of("sandbox") / "sandbox.json"

    @property
    def ccxt_announce(self) -> Path:
        """Where the role `ccxt` says on which port it is."""
        return self._run_of("ccxt") / "ccxt.json"

    @property
    def recordings(self) -> Path:
        """Parent of the recordings of this engine's runs."""
        return self.home / "recordings"

    def recording(self, run_id: str) -> Path:
        """Return where a run of any engine is recorded; this engine's place if none is."""
        found = (self.of(one).recordings / run_id for one in self.engine_ids())
        return next((one for one in found if one.exists()), self.recordings / run_id)

    @property
    def exports(self) -> Path:
        """Where the terminal puts exported files."""
        return self.data_dir / "exports"

    def lease(self, role: str) -> Path:
        """Return what a role's one process holds while it runs."""
        if role == "ledger":
            return self.data_dir / LEASE_NAME
        return self._run_of(role) / f"{role}.lock"

    def log(self, role: str) -> Path:
        """Return the log file of a role that this engine's supervisor starts."""
        return self.home / "logs" / f"{role}.log"

    def _run_of(self, role: str) -> Path:
        return self.run if role in OF_AN_ENGINE else self.data_dir / "run"


def prepare(data_dir: str, *, bus_url: str | None = None, engine_id: str = MAIN) -> Paths:
    """Make the data directory if it is new and check that it can be used.

    A new installation gets its kill latch, clear; in an old one a missing latch stays missing,
    which means killed. From here on this process makes files that only this user may read, and
    those that an earlier version made are mended: chat, trades and recordings are nobody else's.

    Raises:
        FatalError: it cannot be written, or its path is too long.
    """
    paths = Paths(Path(data_dir).resolve(), bus_url, engine_id)
    for socket in (paths.engine_socket, paths.ledger_socket):
        check_socket_path(socket)
    os.umask(0o077)
    try:
        run = paths.data_dir / "run"
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = run / f".probe-{os.getpid()}"
        probe.write_bytes(b"probe")
        probe.unlink()
        _take_in(paths.data_dir)
        _keep_private(paths)
    except OSError as error:
        raise _unwritable(paths.data_dir, error) from error
    return paths


def prepare_engine(paths: Paths) -> None:
    """Make the folder of an engine at its first start, with a latch of its own, clear.

    So is a folder of a version before taken over, where one latch stopped whatever ran.

    Raises:
        FatalError: it cannot be written.
    """
    own = paths.engines / paths.engine_id
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        _take_in(own)
        paths.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(own, error) from error


def _take_in(directory: Path) -> None:
    """Give a new directory its latch; in an old one a missing latch stays missing."""
    marker = directory / MARKER
    if not marker.exists():
        KillLatch(directory).create()
        marker.write_text("1\n")


def _unwritable(directory: Path, error: OSError) -> FatalError:
    return FatalError(
        f"the data directory {directory} cannot be written: {error.strerror}; "
        f"{_remedy(directory, error)}, or choose another with SYNDICATE_DATA_DIR"
    )


def _remedy(data_dir: Path, error: OSError) -> str:
    """Say what mends it, as a command where one does."""
    if error.errno not in {errno.EACCES, errno.EPERM}:
        return "free space or mend the disk"
    user, folder = os.geteuid(), shlex.quote(str(data_dir))
    try:
        is_foreign = data_dir.stat().st_uid != user or error.filename != str(data_dir)
    except FileNotFoundError:
        return f"make it as root: install -d -o {user} -m 0700 {folder}"
    except OSError:
        return "let this user enter the folders above it"
    if not is_foreign:
        return f"give the rights back: chmod u+rwx {folder}"
    return (
        f"make it this user's ({user}) as root: chown -R {user} {folder} "
        "(with compose: docker compose run --rm var-owner)"
    )


def _keep_private(paths: Paths) -> None:
    """Take what we made from other users; a file that is not ours to change stays as it is.

    Raises:
        PermissionError: what an earlier run made is another user's, and this one cannot write it.
    """
    for path in _private(paths):
        _take_from_others(path)
        if _is_anothers(path):
            _check_writable(path)
    if paths.data_dir not in {Path.cwd(), Path.home()}:  # a folder of its own, not one with more
        _take_from_others(paths.data_dir)


def _private(paths: Paths) -> Iterator[Path]:
    for name in PRIVATE_FILES:
        yield from paths.data_dir.glob(name)
    for name in PRIVATE_FOLDERS:
        folder = paths.data_dir / name
        if folder.exists():
            yield folder
            yield from folder.rglob("*")


def _is_anothers(path: Path) -> bool:
    """Say whether a file is another user's; one that is gone is nobody's: roles start together."""
    try:
        return not path.is_symlink() and path.stat().st_uid != os.geteuid()
    except FileNotFoundError:
        return False


def _check_writable(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, f"{path.name} is another user's", str(path))


def _take_from_others(path: Path) -> None:
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & 0o700)
