"""The data directory: what lies where, and whether it can be used at all."""

import contextlib
import errno
import os
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.bus.unix_socket import check_socket_path
from engine.domain.engines import MAIN
from engine.domain.errors import FatalError
from engine.operate.kill_latch import KillLatch
from engine.storage.ledger_settings import LEASE_NAME

PRIVATE_FILES: Final = ("ledger.sqlite3*", "*.lock", "kill-latch", "installation")
PRIVATE_FOLDERS: Final = ("run", "recordings", "backups", "logs", "exports", "charts")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where an installation keeps what, and where its roles meet.

    Attributes:
        bus_url: of a Redis server; None for sockets of this machine.
        engine_id: of the engine that is asked; a server may carry several.
    """

    data_dir: Path
    bus_url: str | None = field(default=None, repr=False)
    engine_id: str = MAIN

    def socket(self, role: str) -> Path:
        """Return the socket of a role."""
        return self.run / f"{role}.sock"

    @property
    def run(self) -> Path:
        """What exists while roles run: sockets, locks."""
        return self.data_dir / "run"

    @property
    def engine_socket(self) -> Path:
        """Socket of the engine role."""
        return self.socket("engine")

    @property
    def ledger_socket(self) -> Path:
        """Socket of the ledger role."""
        return self.socket("ledger")

    @property
    def sandbox_announce(self) -> Path:
        """Where the sandbox says on which port it is."""
        return self.run / "sandbox.json"

    @property
    def recordings(self) -> Path:
        """Parent of the runs' recordings."""
        return self.data_dir / "recordings"

    @property
    def exports(self) -> Path:
        """Where the terminal puts exported files."""
        return self.data_dir / "exports"

    def lease(self, role: str) -> Path:
        """Return what a role's one process holds while it runs."""
        return self.data_dir / LEASE_NAME if role == "ledger" else self.run / f"{role}.lock"

    def log(self, role: str) -> Path:
        """Return the log file of a role."""
        return self.data_dir / "logs" / f"{role}.log"


def prepare(data_dir: str, *, bus_url: str | None = None, engine_id: str = MAIN) -> Paths:
    """Make the data directory if it is new and check that it can be used.

    A new installation gets its kill latch, clear; in an old one a missing latch stays missing,
    which means killed. From here on this process makes files that only this user may read, and
    those that an earlier version made are mended: chat, trades and recordings are nobody else's.

    Raises:
        FatalError: it cannot be written, or its path is too long.
    """
    paths = Paths(Path(data_dir).resolve(), bus_url, engine_id)
    check_socket_path(paths.engine_socket)
    marker = paths.data_dir / "installation"
    os.umask(0o077)
    try:
        paths.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = paths.run / f".probe-{os.getpid()}"
        probe.write_bytes(b"probe")
        probe.unlink()
        if not marker.exists():
            KillLatch(paths.data_dir).create()
            marker.write_text("1\n")
        _keep_private(paths)
    except OSError as error:
        raise FatalError(
            f"the data directory {paths.data_dir} cannot be written: {error.strerror}; "
            f"{_remedy(paths.data_dir, error)}, or choose another with SYNDICATE_DATA_DIR"
        ) from error
    return paths


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
        if not path.is_symlink() and path.stat().st_uid != os.geteuid():
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


def _check_writable(path: Path) -> None:
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, f"{path.name} is another user's", str(path))


def _take_from_others(path: Path) -> None:
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & 0o700)
