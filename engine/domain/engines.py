"""Engines by id: several may keep their books in one ledger, each its own."""

import re
from typing import Final

from engine.domain.errors import BadValueError

MAIN: Final = "main"
"""The engine of an installation that has one; all that earlier versions stored is of it."""

ENGINE_ID_PATTERN: Final = r"^[a-z0-9][a-z0-9-]{0,15}$"


def check_engine_id(engine_id: str) -> str:
    """Return the id of an engine if it is one.

    Raises:
        BadValueError: it is too long, or has characters that no file or table should have.
    """
    if re.fullmatch(ENGINE_ID_PATTERN, engine_id) is None:
        raise BadValueError(
            f"an engine is named by up to 16 of a-z, 0-9 and -, not by {engine_id[:40]!r}"
        )
    return engine_id
