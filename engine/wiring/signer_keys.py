"""Where the key of an installation is, by its settings: a keystore, a signer elsewhere, a token."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from engine.domain.errors import SettingsError, TransientError
from engine.domain.networks import Network
from engine.settings.schema import Settings, environment_name
from engine.signing.curve import LocalKey
from engine.signing.keystore import Keystore, open_keystore, parse_keystore
from engine.signing.secret_files import password_of, read_secret_file
from engine.signing.wallet import KeyTroubleError, LocalWallet, Wallet
from engine.wiring.paths import Paths

log = logging.getLogger(__name__)


class KeyPlace(Protocol):
    """Where a key is, and what it takes to use it."""

    @property
    def is_there(self) -> bool:
        """Whether there is any key."""
        ...

    @property
    def address(self) -> str:
        """Of the wallet; empty while nobody knows it."""
        ...

    @property
    def kind(self) -> str:
        """Where the key is, in words."""
        ...

    @property
    def port(self) -> int | None:
        """TCP port that is needed."""
        ...

    @property
    def readable(self) -> Sequence[Path]:
        """Files and folders that are read later on."""
        ...

    @property
    def writable(self) -> Sequence[Path]:
        """Folders that are written to."""
        ...

    async def opened(self) -> Wallet | None:
        """Return the wallet if it takes no person; None if it waits for a password."""
        ...

    async def unlock(self, password: bytes) -> Wallet:
        """Open the key with what a person typed; raises `SettingsError` if it does not open."""
        ...

    async def aclose(self) -> None:
        """Let go of whatever holds the key."""
        ...


def key_place(settings: Settings, paths: Paths) -> KeyPlace:
    """Return where the key is; what is on disk is read here, before the guards are up.

    Raises:
        SettingsError: there is none, it cannot be read, or it is for another use.
    """
    own = settings.signer
    if own.remote_url is not None:
        return RemotePlace(own.remote_url, own.remote_address)
    password = None if own.password_file is None else password_of(Path(own.password_file))
    if own.hsm_module is not None:
        place = TokenPlace(Path(own.hsm_module), own.hsm_label, own.hsm_key, password)
        place.writable = () if own.hsm_folder is None else (Path(own.hsm_folder),)
        return place
    path = keystore_path(settings, paths)
    content = read_secret_file(path, what="keystore")
    store = parse_keystore(content, where=f"the keystore {path}")
    use = Network(own.signs).key_use
    if store.syndicate != use:
        raise SettingsError(
            f"the keystore {path} is for {store.syndicate or 'any use'}, and what is signed here is"
            f" for {use}: make one for it with python -m engine keys make --for {use}, so that"
            " nothing signed here is of use anywhere else"
        )
    return KeystorePlace(store, path, password)


def keystore_path(settings: Settings, paths: Paths) -> Path:
    """Return where the keystore is, or is to be."""
    own = settings.signer.keystore
    return paths.signer / "key.json" if own is None else Path(own)


class NoPlace:
    """No wallet's key, where nothing is signed for chains; see `KeyPlace`."""

    is_there = False
    kind = "settings: nothing is signed for chains"
    address = ""
    port = None
    readable = writable = ()

    async def opened(self) -> Wallet | None:
        """There is none."""
        return None

    async def unlock(self, password: bytes) -> Wallet:
        """There is none."""
        del password
        raise SettingsError("nothing is signed for chains here")

    async def aclose(self) -> None:
        """Nothing is held."""


class KeystorePlace:
    """A keystore; see `KeyPlace`."""

    is_there = True
    kind = "keystore"
    port = None
    readable = writable = ()

    def __init__(self, store: Keystore, path: Path, password: bytes | None) -> None:
        self._store = store
        self._where = f"the keystore {path}"
        self._password = password
        self.address = f"0x{store.address.lower().removeprefix('0x')}" if store.address else ""

    async def opened(self) -> Wallet | None:
        """See `KeyPlace.opened`."""
        if self._password is None:
            return None
        password, self._password = self._password, None
        return self._open(password)

    async def unlock(self, password: bytes) -> Wallet:
        """See `KeyPlace.unlock`."""
        return await asyncio.to_thread(self._open, password)

    async def aclose(self) -> None:
        """Nothing is held."""

    def _open(self, password: bytes) -> Wallet:
        wallet = LocalWallet(LocalKey(open_keystore(self._store, password, where=self._where)))
        self.address = wallet.address
        return wallet


class TokenPlace:
    """A token by PKCS#11; see `KeyPlace`. Its library is loaded here, before the guards are up."""

    is_there = True
    kind = "token"
    port = None

    def __init__(self, module: Path, label: str, key: str, pin: bytes | None) -> None:
        from engine.signing.token import Token  # noqa: PLC0415 - a library that few need

        self._token = Token(module, label, key)
        self._pin = pin
        self._wallet: Wallet | None = None
        self.address = ""
        self.readable: Sequence[Path] = (module.resolve().parent,)
        self.writable: Sequence[Path] = ()

    async def opened(self) -> Wallet | None:
        """See `KeyPlace.opened`; a PIN that is refused is tried no second time by itself."""
        from engine.signing.token import WrongPinError  # noqa: PLC0415 - likewise

        if self._pin is None:
            return None
        pin, self._pin = self._pin, None
        try:
            self._wallet = self._token.open(pin)
        except WrongPinError as error:
            # To end here would be to be started again, with the same PIN, until the token locks.
            log.error("%s; the signer stays locked", error)  # noqa: TRY400 - said whole
            return None
        self.address = self._wallet.address
        return self._wallet

    async def unlock(self, password: bytes) -> Wallet:
        """See `KeyPlace.unlock`."""
        self._wallet = await asyncio.to_thread(self._token.open, password)
        self.address = self._wallet.address
        return self._wallet

    async def aclose(self) -> None:
        """See `KeyPlace.aclose`."""
        if self._wallet is not None:
            await self._wallet.aclose()


class RemotePlace:
    """A signer elsewhere; see `KeyPlace`."""

    is_there = True
    kind = "remote signer"
    readable = writable = ()

    def __init__(self, url: str, address: str | None) -> None:
        if address is None:
            name = environment_name("signer", "remote_address")
            raise SettingsError(f"{name} is missing: which of the remote signer's wallets is it?")
        from engine.signing.remote import RemoteWallet  # noqa: PLC0415 - memory that few need

        self.address = address.lower()
        self._wallet = RemoteWallet(url, self.address)
        parts = urlsplit(url)
        self.port = parts.port or (443 if parts.scheme == "https" else 80)

    async def opened(self) -> Wallet | None:
        """See `KeyPlace.opened`.

        Raises:
            TransientError: the signer elsewhere does not answer, or holds no such key.
        """
        try:
            await self._wallet.check()
        except KeyTroubleError as error:
            raise TransientError(str(error)) from error
        return self._wallet

    async def unlock(self, password: bytes) -> Wallet:
        """It is open whenever the role runs."""
        del password
        raise SettingsError("the remote signer holds the key: nothing is unlocked here")

    async def aclose(self) -> None:
        """See `KeyPlace.aclose`."""
        await self._wallet.aclose()
