"""What runs here: the version, and the commit where it can be known."""

import os
from functools import cache
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
VERSION: Final = "0.1.0"


@cache
def version_text() -> str:
    """Return ``version+commit``; the image's build sets SYNDICATE_INTERNAL_COMMIT."""
    commit = os.environ.get("SYNDICATE_INTERNAL_COMMIT") or _commit_of_checkout()
    return f"{VERSION}+{commit}" if commit else VERSION


def _commit_of_checkout() -> str | None:
    head = _ROOT / ".git" / "HEAD"
    try:
        text = head.read_text().strip()
        if not text.startswith("ref: "):
            return text[:12]
        return (_ROOT / ".git" / text.removeprefix("ref: ")).read_text().strip()[:12]
    except OSError:
        return None
