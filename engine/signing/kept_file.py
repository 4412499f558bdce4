"""Small files of the signer's own that the operator's steps write: whole or not at all."""

from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from engine.domain.errors import FatalError
from engine.domain.replaced_file import replace_file

Kept = TypeVar("Kept")


class KeptFile(Generic[Kept]):
    """A mapping by name in a file; what another process put there counts at the next look.

    Args:
        mend: what to do if it cannot be understood, for people.
    """

    def __init__(self, path: Path, kind: type[Kept], *, mend: str) -> None:
        self._path = path
        self._kind = kind
        self._mend = mend
        self._seen: tuple[int, int] | None = None
        self._known: Mapping[str, Kept] = {}
        self._has_looked = False

    def now(self) -> Mapping[str, Kept]:
        """Return what is there; it is read again only where it was put anew.

        Raises:
            FatalError: see `read`.
        """
        mark = self._mark()
        if not self._has_looked or mark != self._seen:
            self._known, self._seen, self._has_looked = self.read(), mark, True
        return self._known

    def read(self) -> dict[str, Kept]:
        """Return what is kept, nothing where there is no file.

        Raises:
            FatalError: the file cannot be understood.
        """
        try:
            kind = dict[str, self._kind]  # type: ignore[name-defined]
            return msgspec.json.decode(self._path.read_bytes(), type=kind)
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise FatalError(
                f"{self._path} cannot be read ({error}): remove it, and {self._mend}"
            ) from error

    def keep(self, name: str, one: Kept | None) -> None:
        """Keep something in place of what was there under a name; None: nothing any more.

        Raises:
            FatalError: it cannot be written.
        """
        kept = {known: value for known, value in self.read().items() if known != name}
        if one is not None:
            kept[name] = one
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(self._path, msgspec.json.encode(kept))
        except OSError as error:
            raise FatalError(f"{self._path} cannot be written: {error.strerror}") from error

    def _mark(self) -> tuple[int, int] | None:
        """Return what changes with the file; None where there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino
