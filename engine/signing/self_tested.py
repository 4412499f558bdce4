"""What `make self-test` found last of our contract on each network: its own file of the signer.

The operator's step writes it, with the hash of the code that the network's node showed; the signer
reads it, and signs nothing for a network where nothing passed.
"""

from pathlib import Path
from typing import Final

import msgspec

from engine.signing.kept_file import KeptFile

FILE_NAME: Final = "self-tests.json"


class SelfTested(msgspec.Struct, frozen=True, kw_only=True):
    """A self-test of which all lines passed.

    Attributes:
        contract: address in lower case, `code_hash` keccak of the code that was there.
        wallet: that may send routes and pause.
        funds_wei: what the wallet had for gas.
    """

    chain_id: int
    contract: str
    code_hash: str
    wallet: str
    funds_wei: int
    at_ns: int


def self_tests(folder: Path) -> KeptFile[SelfTested]:
    """Return the file in the signer's folder."""
    return KeptFile(folder / FILE_NAME, SelfTested, mend="test again")


def read_self_tests(folder: Path) -> dict[str, SelfTested]:
    """Return what passed, by the network's name; nothing where there is no file.

    Raises:
        FatalError: the file cannot be understood.
    """
    return self_tests(folder).read()


def keep_self_test(folder: Path, network: str, passed: SelfTested | None) -> None:
    """Keep what passed on a network in place of what was there; None: that it failed.

    Raises:
        FatalError: it cannot be written.
    """
    self_tests(folder).keep(network, passed)
