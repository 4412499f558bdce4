"""Keys that change without a restart: the file of addresses, read again when it has changed."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from engine.chains.rpc.addresses import FILE_PREFIX, TEXT_MAX, Access, parse_providers
from engine.domain.errors import BadValueError

log: Final = logging.getLogger(__name__)

_OTHERS: Final = 0o077


class KeyFile:
    """The providers that a setting names, whether it does so itself or by a file.

    Attributes:
        trouble: why the file, as it is now, is not used; empty if it is.

    Args:
        text: the setting.
        chains: names that are known.

    Raises:
        BadValueError: it cannot be used.
    """

    def __init__(self, text: str, chains: Sequence[str]) -> None:
        self.trouble = ""
        self._chains = chains
        self._path = (
            Path(text.strip().removeprefix(FILE_PREFIX)).expanduser() if is_file(text) else None
        )
        self._seen = self._mark()
        self.providers: Mapping[str, tuple[Access, ...]] = parse_providers(
            text if self._path is None else self._read(), chains
        )

    def changed(self) -> bool:
        """Read the file again if it has changed; say whether there are other providers now.

        A file that cannot be used changes nothing: those that are used go on being used.
        """
        mark = self._mark()
        if self._path is None or mark == self._seen:
            return False
        self._seen = mark
        try:
            providers = parse_providers(self._read(), self._chains)
        except BadValueError as error:
            self.trouble = str(error)
            log.warning("addresses of providers stay as they were: %s", error)
            return False
        self.trouble = ""
        is_other, self.providers = providers != self.providers, providers
        return is_other

    def _mark(self) -> tuple[int, int, int] | None:
        """Return what changes with the file, None if there is none."""
        try:
            stat = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return None if stat is None else (stat.st_mtime_ns, stat.st_size, stat.st_ino)

    def _read(self) -> str:
        assert self._path is not None
        try:
            with self._path.open("rb") as file:
                if self._path.stat().st_mode & _OTHERS:
                    raise BadValueError(f"{self._path} can be read by others; chmod 600 it")
                return file.read(TEXT_MAX + 1).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadValueError(f"{self._path} cannot be read: {type(error).__name__}") from None


def is_file(text: str) -> bool:
    """Say whether a setting names a file."""
    return text.strip().startswith(FILE_PREFIX)
