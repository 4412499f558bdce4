"""Where files lie that several processes of an installation map into their memory."""

import hashlib
import os
from pathlib import Path
from typing import Final

SHARED_FOLDER: Final = Path("/dev/shm")  # noqa: S108 - the owner and the mode of the file are checked


def shared_file(run_dir: Path, kind: str) -> Path:
    """Return where a file of an installation lies: in memory if the system offers that.

    On a disk the kernel writes changed pages back from time to time, and the writer's next store
    into one waits for the file system.
    """
    if SHARED_FOLDER.is_dir() and os.access(SHARED_FOLDER, os.W_OK):
        digest = hashlib.sha256(str(run_dir.resolve()).encode()).hexdigest()[:16]
        return SHARED_FOLDER / f"syndicate-{os.getuid()}-{digest}.{kind}"
    return run_dir / kind
