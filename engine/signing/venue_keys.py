"""Keys of venues on disk: a file each, encrypted as the wallet's keystore is.

What a venue's key is called, and its secret, are sealed together. A file that somebody else keeps
secret (a mounted secret of a container) may hold both in the clear, as the venue's own JSON has it.
"""

from typing import Final

import msgspec

from engine.domain.errors import SettingsError
from engine.signing.keystore import SCRYPT_N_MIN, Sealed, opened, sealed
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of

VERSION: Final = 1
CHARACTERS_MAX: Final = 8_192


class VenueKeyFile(msgspec.Struct, kw_only=True):
    """A sealed key as its file has it.

    Attributes:
        name: the public half, for people; what counts is sealed with the secret.
    """

    version: int
    venue: str
    name: str
    crypto: Sealed


class _Content(msgspec.Struct, kw_only=True):
    venue: str
    name: str
    secret: str


class _Clear(msgspec.Struct, kw_only=True):
    name: str
    secret: str = ""
    private_key: str = msgspec.field(name="privateKey", default="")


def checked_key(venue: str, name: str, secret: str, *, where: str) -> VenueKey:
    """Return a key that the venue's calls can be signed with.

    Raises:
        SettingsError: it is no key of that venue; nothing of the secret is said.
    """
    name = name.strip()
    if not name or not name.isascii() or not name.isprintable() or len(name) > CHARACTERS_MAX:
        raise SettingsError(f"{where} has no name of a key of {venue}: one line of ASCII")
    if not secret or len(secret) > CHARACTERS_MAX:
        raise SettingsError(f"{where} has no secret of a key of {venue}")
    key = VenueKey(name=name, secret=secret)
    try:
        authentication_of(venue, key)
    except SettingsError as error:
        # What the error came of may hold the secret: a traceback is not to lead there.
        raise SettingsError(f"{where}: {error}") from None
    return key


def seal_venue_key(venue: str, key: VenueKey, password: bytes, *, n: int = SCRYPT_N_MIN) -> bytes:
    """Encrypt a key; returns its file.

    Raises:
        SettingsError: the password is too short.
    """
    content = msgspec.json.encode(_Content(venue=venue, name=key.name, secret=key.secret))
    store = VenueKeyFile(
        version=VERSION, venue=venue, name=key.name, crypto=sealed(content, password, n=n)
    )
    return msgspec.json.format(msgspec.json.encode(store)) + b"\n"


def parse_venue_key(content: bytes, venue: str, *, where: str) -> VenueKeyFile | VenueKey:
    """Parse a file; returns the key itself where it is in the clear.

    Raises:
        SettingsError: it is neither, or another venue's.
    """
    try:
        store = msgspec.json.decode(content, type=VenueKeyFile)
    except msgspec.ValidationError:
        return _in_the_clear(content, venue, where=where)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _no_key_file(venue, where) from None
    if store.version != VERSION:
        raise SettingsError(f"{where} is of version {store.version}, not {VERSION}")
    if store.venue != venue:
        raise SettingsError(f"{where} is a key of {store.venue[:40]}, not of {venue}")
    return store


def open_venue_key(store: VenueKeyFile, password: bytes, *, where: str) -> VenueKey:
    """Decrypt a key; takes about a second and 256 MB for that time.

    Raises:
        SettingsError: the password is wrong, or the file is damaged or was changed.
    """
    content = opened(store.crypto, password, where=where)
    try:
        found = msgspec.json.decode(content, type=_Content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise SettingsError(f"{where} holds no key of a venue") from None
    if (found.venue, found.name) != (store.venue, store.name):
        raise SettingsError(f"{where} says that it is another key than it holds")
    return checked_key(found.venue, found.name, found.secret, where=where)


def _in_the_clear(content: bytes, venue: str, *, where: str) -> VenueKey:
    try:
        found = msgspec.json.decode(content, type=_Clear)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _no_key_file(venue, where) from None
    return checked_key(venue, found.name, found.secret or found.private_key, where=where)


def _no_key_file(venue: str, where: str) -> SettingsError:
    return SettingsError(
        f"{where} is no key of a venue: make one with python -m engine keys venue {venue}"
    )
