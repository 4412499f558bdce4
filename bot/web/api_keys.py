"""Keys by which programs and browsers come in: shown once, kept as argon2id hashes.

A key is ``syn_<id>_<secret>``. The id finds its line in the file, the secret is checked against the
hash there: 32 random bytes, which no one guesses; the slow hash is for who steals the file and then
finds a key elsewhere.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cachetools import LRUCache
from msgspec import Meta

from engine.domain.errors import BadValueError, FatalError
from engine.domain.people import Rank
from engine.domain.replaced_file import replace_file
from engine.domain.units import NS_PER_S

FILE: Final = "keys.json"
_KEY: Final = re.compile(r"syn_([0-9a-f]{8})_([A-Za-z0-9_-]{43})\Z", re.ASCII)
_NAME: Final = r"^[a-z][a-z0-9-]{0,23}$"
_KNOWN_MAX: Final = 1_024
"""Keys whose check is remembered, so that not each request pays for a slow hash."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""The least that OWASP recommends for argon2id: 19 MiB, two passes."""

_NOBODY: Final = _HASHER.hash(secrets.token_hex(16))
"""Checked where no key has the id, so that the time of an answer tells nothing."""


OVERLAP_S: Final = 3_600
"""So long the old key still opens once there is a new one."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key as it is kept.

    Attributes:
        name: as records show who acted.
        secret_hash: argon2id, in its own encoding.
        made_at_ns: since 1970.
        ends_at_ns: from then on it opens nothing; None for no end.
    """

    id: str
    name: Annotated[str, Meta(pattern=_NAME)]
    rank: Rank
    secret_hash: str
    made_at_ns: int
    ends_at_ns: int | None = None


class ApiKeys:
    """The keys of an installation, read anew whenever the file changed.

    Args:
        directory: of the gateway.
        clock: wall clock, nanoseconds since 1970.
    """

    def __init__(self, directory: Path, clock: Callable[[], int] = time.time_ns) -> None:
        self._path = directory / FILE
        self._clock = clock
        self._read_at: tuple[int, int, int] | None = None
        self._keys: dict[str, ApiKey] = {}
        self._known: LRUCache[bytes, str] = LRUCache(_KNOWN_MAX)

    def all(self) -> list[ApiKey]:
        """Return the keys, oldest first.

        Raises:
            FatalError: the file cannot be read, or others than its owner can read it.
        """
        self._refresh()
        return sorted(self._keys.values(), key=lambda one: (one.made_at_ns, one.id))

    def rank_of(self, key_id: str) -> Rank | None:
        """Return what whoever has a key may do now; None if it was removed."""
        self._refresh()
        key = self._keys.get(key_id)
        return None if key is None or self._is_over(key) else key.rank

    def find(self, text: str, *, is_pressed: bool = False) -> ApiKey | None:
        """Return the key that a text is; takes some 20 ms the first time, so call it in a thread.

        With `is_pressed` nothing is hashed for a key that is not there: many wrong ones would hold
        up the right one.

        Raises:
            FatalError: as `all`.
        """
        self._refresh()
        match = _KEY.match(text)
        if match is None:
            return None
        digest = hashlib.sha256(text.encode()).digest()
        key = self._keys.get(match[1])
        if key is not None and self._is_over(key):
            key = None
        if key is not None and hmac.compare_digest(self._known.get(digest, ""), key.id):
            return key
        if key is None and is_pressed:
            return None
        kept = _NOBODY if key is None else key.secret_hash
        try:
            _HASHER.verify(kept, match[2])
        except (Argon2Error, InvalidHashError):
            return None
        if key is not None:
            self._known[digest] = key.id
        return key

    def add(self, name: str, rank: Rank, *, clock: Callable[[], int]) -> str:
        """Make a key, keep its hash, and return its text, which is shown once.

        Raises:
            BadValueError: the name is not one, or is taken.
            FatalError: as `all`, or the file cannot be written.
        """
        if re.match(_NAME, name) is None:
            raise BadValueError(
                f"“{name}” is no name for a key: up to 24 of a-z, 0-9 and -, a letter first"
            )
        if any(one.name == name for one in self.all()):
            raise BadValueError(f"there is a key {name} already: renew it, or remove it first")
        key, text = _made(name, rank, made_at_ns=clock())
        self._write([*self.all(), key])
        return text

    def renew(self, name: str, *, clock: Callable[[], int], overlap_s: int = OVERLAP_S) -> str:
        """Make a new key in the place of one of this name, and return its text.

        Both open until the time is over in which the new one is taken to where it is used; whoever
        asks meanwhile comes in by one of them. Keys that are over already are forgotten.

        Raises:
            BadValueError: there is none of this name.
            FatalError: as `add`.
        """
        now_ns, held = clock(), self.all()
        newest = next((one for one in held if one.name == name and one.ends_at_ns is None), None)
        if newest is None:
            raise self._none_named(name)
        ends_at_ns = now_ns + overlap_s * NS_PER_S
        kept = [
            msgspec.structs.replace(one, ends_at_ns=min(one.ends_at_ns or ends_at_ns, ends_at_ns))
            if one.name == name
            else one
            for one in held
            if not self._is_over(one)
        ]
        key, text = _made(name, newest.rank, made_at_ns=now_ns)
        self._write([*kept, key])
        return text

    def remove(self, name: str) -> None:
        """Let a key open nothing any more, and what was opened with it neither.

        Raises:
            BadValueError: there is none of this name.
            FatalError: as `add`.
        """
        left = [one for one in self.all() if one.name != name]
        if len(left) == len(self._keys):
            raise self._none_named(name)
        self._write(left)

    def _none_named(self, name: str) -> BadValueError:
        names = ", ".join(dict.fromkeys(one.name for one in self.all())) or "none"
        return BadValueError(f"there is no key {name}; there are: {names}")

    def _is_over(self, key: ApiKey) -> bool:
        return key.ends_at_ns is not None and key.ends_at_ns <= self._clock()

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._keys, self._read_at = {}, None
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
            keys = msgspec.json.decode(self._path.read_bytes(), type=list[ApiKey])
        except (OSError, msgspec.MsgspecError) as error:
            raise FatalError(f"{self._path} cannot be read: {error}") from error
        self._keys = {one.id: one for one in keys}
        self._known.clear()
        self._read_at = seen

    def _write(self, keys: list[ApiKey]) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._path, msgspec.json.format(msgspec.json.encode(keys)))
        except OSError as error:
            raise FatalError(f"{self._path} cannot be written: {error.strerror}") from error


def _made(name: str, rank: Rank, *, made_at_ns: int) -> tuple[ApiKey, str]:
    """Return a new key as it is kept, and as it is shown once."""
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = ApiKey(
        id=key_id,
        name=name,
        rank=rank,
        secret_hash=_HASHER.hash(secret),
        made_at_ns=made_at_ns,
    )
    return key, f"syn_{key_id}_{secret}"
