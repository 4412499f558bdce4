"""Endpoints: where providers post to, and the secrets that sign what they post, kept in one file.

A secret is the provider's; whoever has it can sign, so that the file is for its owner alone. The
path of an endpoint is a secret of ours: who does not know it is told nothing, and nothing that they
send is read. Changing a secret keeps the old one good for a stated time.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from bot.web.hooks.provider_list import PROVIDERS
from engine.domain.chains import CHAINS
from engine.domain.errors import BadValueError, FatalError
from engine.domain.redaction import remember_secrets
from engine.domain.replaced_file import replace_file

FILE: Final = "hooks.json"
OLD_SECRET_H: Final = 48
"""So long an old secret is good by itself: a provider tries a body again for up to a day."""

OLD_SECRET_H_MAX: Final = 24 * 30
SECRET_CHARACTERS_MIN: Final = 8
SECRET_CHARACTERS_MAX: Final = 512
ENDPOINTS_MAX: Final = 64
_NAME: Final = r"^[a-z][a-z0-9-]{0,23}$"
_S_PER_H: Final = 3_600


class Secret(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A secret of an endpoint.

    Attributes:
        until_s: good before then, seconds since 1970; None for good.
    """

    text: str
    until_s: int | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one provider posts to.

    Attributes:
        name: of the stream, as screens and records have it.
        chain: that all events are of; empty where each body names it.
        path: last part of the address.
        secrets: the newest first.
    """

    name: Annotated[str, Meta(pattern=_NAME)]
    provider: str
    path: str
    secrets: tuple[Secret, ...]
    chain: str = ""

    def good_secrets(self, now_s: int) -> list[bytes]:
        """Return the secrets that sign now, the newest first."""
        return [
            one.text.encode() for one in self.secrets if one.until_s is None or now_s < one.until_s
        ]


class Endpoints:
    """The endpoints of an installation, read anew whenever the file changed.

    Args:
        directory: of the gateway.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self._read_at: tuple[int, int, int] | None = None
        self._all: list[Endpoint] = []
        self._by_path: dict[bytes, Endpoint] = {}

    def all(self) -> list[Endpoint]:
        """Return all endpoints, in the order of their names.

        Raises:
            FatalError: the file cannot be read, or others than its owner can read it.
        """
        self._refresh()
        return self._all

    def find(self, path: str) -> Endpoint | None:
        """Return the endpoint of a path; raises as `all`."""
        self._refresh()
        # Looked up by its hash, so that the time tells nothing of what is near.
        return self._by_path.get(_digest(path))

    def add(self, name: str, provider: str, chain: str, secret: str) -> Endpoint:
        """Make an endpoint.

        Raises:
            BadValueError: something of it cannot be, or the name is taken.
            FatalError: as `all`, or the file cannot be written.
        """
        if re.match(_NAME, name) is None:
            raise BadValueError(
                f"“{name}” is no name for a stream: up to 24 of a-z, 0-9 and -, a letter first"
            )
        if any(one.name == name for one in self.all()):
            raise BadValueError(
                f"there is a stream {name} already: rotate its secret, or remove it"
            )
        if len(self._all) >= ENDPOINTS_MAX:
            raise BadValueError(f"there are {ENDPOINTS_MAX} streams already: remove one first")
        known = PROVIDERS.get(provider)
        if known is None:
            raise BadValueError(f"there is no provider {provider}; there are: {_list(PROVIDERS)}")
        if chain and chain not in CHAINS:
            raise BadValueError(f"there is no chain {chain}; there are: {_list(CHAINS)}")
        if not chain and not known.names_chain:
            raise BadValueError(f"{provider} does not say of which chain a body is: name it")
        endpoint = Endpoint(
            name=name,
            provider=provider,
            chain=chain,
            path=secrets.token_urlsafe(24),
            secrets=(Secret(text=_checked(secret)),),
        )
        self._write([*self._all, endpoint])
        return endpoint

    def rotate(self, name: str, secret: str, *, now_s: int, old_h: int = OLD_SECRET_H) -> Endpoint:
        """Have another secret sign from now on, and the old ones for some hours more.

        Raises:
            BadValueError: there is no such stream, or that is no other secret.
            FatalError: as `add`.
        """
        if not 0 <= old_h <= OLD_SECRET_H_MAX:
            raise BadValueError(f"{old_h} h for the old secret: 0 to {OLD_SECRET_H_MAX} can be")
        before = self._named(name)
        text = _checked(secret)
        if text == before.secrets[0].text:
            raise BadValueError(f"that is the secret that {name} has already")
        until_s = now_s + old_h * _S_PER_H
        old = tuple(
            Secret(text=one.text, until_s=min(one.until_s or until_s, until_s))
            for one in before.secrets
            if one.text != text and (one.until_s is None or now_s < one.until_s) and old_h
        )
        after = msgspec.structs.replace(before, secrets=(Secret(text=text), *old))
        self._write([after if one.name == name else one for one in self._all])
        return after

    def remove(self, name: str) -> None:
        """Take nothing there any more; raises as `rotate`."""
        self._named(name)
        self._write([one for one in self._all if one.name != name])

    def _named(self, name: str) -> Endpoint:
        for one in self.all():
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self._all) or "none"
        raise BadValueError(f"there is no stream {name}; there are: {names}")

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._take([], None)
            return
        except OSError as error:
            raise FatalError(f"{self._path} cannot be read: {error.strerror}") from error
        seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if seen == self._read_at:
            return
        if stat.st_mode & 0o077:
            raise FatalError(
                f"{self._path} can be read by others than its owner: chmod 600 {self._path}"
            )
        try:
            found = msgspec.json.decode(self._path.read_bytes(), type=list[Endpoint])
        except (OSError, msgspec.MsgspecError) as error:
            raise FatalError(f"{self._path} cannot be read: {error}") from error
        for one in found:
            if one.provider not in PROVIDERS:
                raise FatalError(f"{self._path}: {one.name} is of no known provider")
        self._take(found, seen)

    def _take(self, found: list[Endpoint], seen: tuple[int, int, int] | None) -> None:
        self._all = sorted(found, key=lambda one: one.name)
        self._by_path = {_digest(one.path): one for one in found}
        self._read_at = seen
        remember_secrets(secret.text for one in found for secret in one.secrets)
        remember_secrets(one.path for one in found)

    def _write(self, endpoints: list[Endpoint]) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._path, msgspec.json.format(msgspec.json.encode(endpoints)))
        except OSError as error:
            raise FatalError(f"{self._path} cannot be written: {error.strerror}") from error


def _digest(path: str) -> bytes:
    return hashlib.sha256(path.encode("utf-8", "replace")).digest()


def _checked(secret: str) -> str:
    text = secret.strip()
    if not SECRET_CHARACTERS_MIN <= len(text) <= SECRET_CHARACTERS_MAX or not text.isprintable():
        raise BadValueError(
            f"a secret has {SECRET_CHARACTERS_MIN} to {SECRET_CHARACTERS_MAX} characters, this one"
            f" {len(text)}"
        )
    return text


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
