"""`python -m engine keys`: keys of the wallet and of venues; nothing secret is printed.

Passwords and keys come from a prompt or from a file of mode 600, never from an argument: those
stand in the list of processes and in the shell's history.
"""

import argparse
import getpass
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import SettingsError
from engine.gateways.gateway_list import GATEWAYS
from engine.gateways.withdrawing import WITHDRAWALS
from engine.operate.streams import say
from engine.requests.wallets import UnlockSigner
from engine.settings.schema import Settings
from engine.signing.curve import CURVE_ORDER, address_of_secret
from engine.signing.keystore import KeyUse, open_keystore, parse_keystore, seal_key
from engine.signing.secret_files import password_of, read_secret_file, write_secret_file
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_keys import (
    checked_key,
    open_venue_key,
    parse_venue_key,
    seal_venue_key,
)
from engine.wiring.paths import Paths
from engine.wiring.signer_keys import keystore_path
from engine.wiring.signer_venues import venue_key_path, withdraw_key_path

Prompt = Callable[[str], str]

UNLOCK_S: Final = 30.0


async def run_keys(
    settings: Settings, paths: Paths, asked: argparse.Namespace, *, prompt: Prompt = getpass.getpass
) -> None:
    """Do what is asked; prints addresses and places.

    Raises:
        SettingsError: a file or a password cannot be used.
        TransientError: the signer to be unlocked does not run.
        BadValueError: it refuses the password.
    """
    path = asked.to or keystore_path(settings, paths)
    asker = _Asker(prompt)
    if asked.what in {"venue", "withdraw"}:
        _keep_venue(settings, paths, asked, asker)
    elif asked.what == "rotate":
        await _rotate(settings, paths, asked, asker)
    elif asked.what == "unlock":
        caller = SocketCaller(paths.socket("signer"), role="signer")
        try:
            password = asker.password(asked.password_file, "Password of the key: ")
            request = UnlockSigner(password=password.decode())
            report = await caller.call(request, timeout_s=UNLOCK_S)
        finally:
            await caller.aclose()
        open_keys = [] if report.is_locked else [f"the key of {report.address}"]
        open_keys += [f"the key {one.key} of {one.name}" for one in report.venues if one.key]
        say(f"open: {', '.join(open_keys)}")
        if locked := [one.name for one in report.venues if not one.key]:
            say(f"locked still, with another password: {', '.join(locked)}")
    elif asked.what == "address":
        store = parse_keystore(read_secret_file(path, what="keystore"), where=f"{path}")
        say(f"0x{store.address.lower().removeprefix('0x')}" if store.address else "it does not say")
    else:
        secret = _new_secret() if asked.what == "make" else _imported(asked, asker)
        _keep(secret, path, asked.use, asker.new_password(asked.password_file))


def _keep(secret: bytes, path: Path, use: KeyUse, password: bytes) -> None:
    write_secret_file(path, seal_key(secret, password, use=use), what="keystore")
    say(f"wallet {address_of_secret(secret)}, for {use}; its key is in {path}")
    say("keep a copy of that file and of the password, apart: without both the wallet is lost")


def _keep_venue(
    settings: Settings, paths: Paths, asked: argparse.Namespace, asker: "_Asker"
) -> None:
    venue, is_out = asked.venue, asked.what == "withdraw"
    known = WITHDRAWALS if is_out else GATEWAYS
    if venue not in known:
        raise SettingsError(
            f"whose key? python -m engine keys {asked.what} VENUE, of {', '.join(known)}"
        )
    key = _venue_key(venue, asked, asker)
    password = asker.new_password(asked.password_file)
    what = "withdraw key" if is_out else "key"
    path_of = withdraw_key_path if is_out else venue_key_path
    path = asked.to or path_of(settings, paths, venue)
    write_secret_file(path, seal_venue_key(venue, key, password), what=f"{what} of {venue}")
    say(f"the {what} {key.name} of {venue} is in {path}")
    say("the signer opens it with the same word as the wallet's key: python -m engine keys unlock")


async def _rotate(
    settings: Settings, paths: Paths, asked: argparse.Namespace, asker: "_Asker"
) -> None:
    # What asks a venue is memory that the other commands do not need.
    from engine.tools.key_rotation import rotate_at_venue  # noqa: PLC0415

    venue = asked.venue
    if venue not in GATEWAYS:
        raise SettingsError(
            f"whose key? python -m engine keys rotate VENUE, of {', '.join(GATEWAYS)}"
        )
    key = _venue_key(venue, asked, asker)
    password = asker.password(asked.password_file, "Password of the key that signs now: ")
    await rotate_at_venue(settings, paths, venue, key, password)


def _venue_key(venue: str, asked: argparse.Namespace, asker: "_Asker") -> VenueKey:
    if asked.source is None:
        name = asker.ask(f"Name of the key of {venue} (its public half): ")
        secret = asker.ask("Its secret: ")
        return checked_key(venue, name, secret.strip(), where="what was typed")
    where = f"{asked.source}"
    content = read_secret_file(asked.source, what=f"key of {venue}")
    if content.lstrip().startswith(b"{"):
        found = parse_venue_key(content, venue, where=where)
        if isinstance(found, VenueKey):
            return found
        old = asker.password(asked.old_password_file, f"Password of {asked.source}: ")
        return open_venue_key(found, old, where=where)
    # The name in its first line, the secret, which may have several, below.
    name, _, secret = content.decode(errors="replace").partition("\n")
    return checked_key(venue, name, secret.strip(), where=where)


def _new_secret() -> bytes:
    return (secrets.randbelow(CURVE_ORDER - 1) + 1).to_bytes(32)


def _imported(asked: argparse.Namespace, asker: "_Asker") -> bytes:
    if asked.source is None:
        return _from_digits(asker.ask("Key, 64 hexadecimal digits: "), where="what was typed")
    content = read_secret_file(asked.source, what="file to import")
    if not content.lstrip().startswith(b"{"):
        return _from_digits(content.decode(errors="replace"), where=f"{asked.source}")
    store = parse_keystore(content, where=f"{asked.source}")
    old = asker.password(asked.old_password_file, f"Password of {asked.source}: ")
    return open_keystore(store, old, where=f"{asked.source}", is_imported=True)


def _from_digits(text: str, *, where: str) -> bytes:
    try:
        secret = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        secret = b""
    if len(secret) != 32 or not 0 < int.from_bytes(secret) < CURVE_ORDER:  # noqa: PLR2004 - of a key
        raise SettingsError(f"{where} is no key: it must be 64 hexadecimal digits")
    return secret


class _Asker:
    """Asks a person, unless a file is named."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt

    def ask(self, words: str) -> str:
        if self._prompt is getpass.getpass and not sys.stdin.isatty():
            raise SettingsError("there is no terminal to ask at: name a file of mode 600")
        return self._prompt(words)

    def password(self, path: Path | None, words: str) -> bytes:
        if path is not None:
            return password_of(path)
        return self.ask(words).encode()

    def new_password(self, path: Path | None) -> bytes:
        if path is not None:
            return password_of(path)
        first = self.ask("New password, 12 characters or more: ")
        if self.ask("The same again: ") != first:
            raise SettingsError("the two passwords differ: nothing was written")
        return first.encode()
