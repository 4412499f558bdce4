"""Keys that tests seal as strongly as people's are, once for all processes of a test run.

Each would take a second and 256 MB.
"""

import hashlib
from pathlib import Path

from engine.signing.keystore import KeyUse, seal_key
from tests.once import made_once_at


def sealed_once(tmp_path: Path, secret: bytes, password: bytes, *, use: KeyUse) -> bytes:
    """Return a keystore of a key.

    Args:
        tmp_path: of the test.
        secret, password, use: see `seal_key`.
    """

    def make(folder: Path) -> None:
        (folder / "key.json").write_bytes(seal_key(secret, password, use=use))

    name = "sealed-" + hashlib.sha256(b"%b %b %b" % (secret, password, use.encode())).hexdigest()
    return (made_once_at(tmp_path.parent, name, make) / "key.json").read_bytes()
