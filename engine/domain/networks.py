"""Kinds of networks: what is signed for one is of no use on one of another kind."""

from enum import StrEnum
from typing import Literal


class Network(StrEnum):
    """Where transactions go, by what is at stake there."""

    SANDBOX = "sandbox"
    """Local chains of this machine."""
    TEST = "test"
    """Test networks, whose coins are worth nothing."""
    MAIN = "main"
    """Main networks: real money."""

    @property
    def key_use(self) -> Literal["sandbox", "test", "live"]:
        """What a keystore has to say that its key is for."""
        if self is Network.MAIN:
            return "live"
        return "test" if self is Network.TEST else "sandbox"
