"""The newest link of the audit, kept beside the database: what is cut off its end is missed."""

import contextlib
import logging
import re
from pathlib import Path
from typing import Final

from engine.storage.audit import Head

FILE_NAME: Final = "audit-head"
_FORM: Final = re.compile(r"([1-9][0-9]{0,17}) ([0-9a-f]{64})\n", re.ASCII)

_log = logging.getLogger(__name__)


class HeadFile:
    """A small file. After a loss of power it may be a few links behind, which it may be."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME

    def read(self) -> Head | None:
        """Return what it says, None if it is missing or says nothing that can be read."""
        with contextlib.suppress(OSError, UnicodeDecodeError):
            said = _FORM.fullmatch(self.path.read_text(encoding="ascii"))
            if said is not None:
                return Head(int(said[1]), said[2])
        return None

    def write(self, head: Head) -> None:
        """Write it in one step; a disk that refuses it is told in the log only."""
        aside = self.path.with_name(f".{FILE_NAME}.new")
        try:
            aside.write_text(f"{head.position} {head.hash}\n", encoding="ascii")
            aside.replace(self.path)
        except OSError as error:
            _log.warning("the newest link of the audit is not kept: %s", error.strerror)
