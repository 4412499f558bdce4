"""One signer for a wallet on this machine, of whatever installation: a lease for each network.

Two installations with one key would use each other's nonces, and book each other's gas. Between
machines there is no lease to be had: there it is seen by a nonce that we never signed. A local
chain is its installation's alone, so nothing is leased there.
"""

import os
import stat
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from engine.bus.lease import HeldByAnotherError, Lease, held_lease
from engine.domain.errors import FatalError
from engine.domain.networks import Network
from engine.signing.terms import SigningTerms

FOLDER: Final = "syndicate-wallets-{user}"


class WalletLeases:
    """The leases of a wallet, one for each network that is signed for.

    Args:
        terms: which networks.
        folder: where leases of all installations of this user are; that of the machine, unless a
            test has one of its own.
    """

    def __init__(self, terms: SigningTerms, folder: Path | None = None) -> None:
        self._chains = {} if terms.network is Network.SANDBOX else dict(terms.chain_ids)
        self.folder: Final = folder or (machine_folder() if self._chains else Path())
        self._held: dict[str, list[Lease]] = {}
        self._stack = ExitStack()

    @property
    def writable(self) -> tuple[Path, ...]:
        """What has to be written to, where a wallet is known late."""
        return (self.folder,) if self._chains else ()

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            FatalError: it cannot be had, or is another user's.
        """
        if not self._chains:
            return
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.lstat()
        except OSError as error:
            raise FatalError(f"the signer cannot use {self.folder}: {error.strerror}") from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise FatalError(
                f"{self.folder} is not this user's own folder: remove it, so that wallets can be"
                " leased there"
            )

    def take(self, address: str) -> None:
        """Be the one who signs with a wallet, as soon as its address is known.

        Raises:
            FatalError: another installation of this machine is, or the lease cannot be used.
        """
        if not address or address in self._held:
            return
        held = []
        with ExitStack() as taking:
            for chain, chain_id in self._chains.items():
                path = self.folder / f"{chain_id}-{address}.lock"
                try:
                    held.append(taking.enter_context(held_lease(path, what="signer")))
                except HeldByAnotherError as error:
                    raise FatalError(
                        f"another installation of this machine (process {error.holder}) signs on"
                        f" {chain} with the wallet {address}: each takes one of its own; stop that"
                        " one, or make a key here"
                    ) from error
            self._stack.enter_context(taking.pop_all())
        self._held[address] = held

    def check(self) -> None:
        """Raise `SupersededError` if a lease was lost."""
        for leases in self._held.values():
            for one in leases:
                one.check()

    def close(self) -> None:
        """Let go of all."""
        self._stack.close()
        self._held.clear()


def machine_folder() -> Path:
    """Return where installations of this user meet on this machine."""
    return Path(tempfile.gettempdir()) / FOLDER.format(user=os.geteuid())
