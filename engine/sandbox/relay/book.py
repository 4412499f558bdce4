"""The bids that wait for their block, sealed: nobody is told those of others."""

from threading import Lock
from typing import Final

from engine.domain.errors import BadValueError
from engine.sandbox.relay.bundles import Bundle

WAITING_MAX: Final = 512
OF_SIGNER_MAX: Final = 64


class BundleBook:
    """Bids by who made them and what they are called; for several threads.

    Attributes:
        head: number of the newest block.
    """

    def __init__(self) -> None:
        self.head = 0
        self._lock = Lock()
        self._waiting: dict[tuple[str, str], Bundle] = {}

    def put(self, bundle: Bundle) -> None:
        """Take a bid; of two with the same signer and name the later one counts.

        Raises:
            BadValueError: there are too many, or its block is made by now.
        """
        with self._lock:
            if bundle.block <= self.head:
                raise BadValueError(f"block {bundle.block} is made by now")
            if bundle.key not in self._waiting:
                if len(self._waiting) >= WAITING_MAX:
                    raise BadValueError(f"{WAITING_MAX} bundles wait already")
                own = sum(1 for signer, _ in self._waiting if signer == bundle.signer)
                if own >= OF_SIGNER_MAX:
                    raise BadValueError(f"{OF_SIGNER_MAX} bundles of yours wait already")
            # Taken out first: among equal bids the one that came first goes first.
            self._waiting.pop(bundle.key, None)
            self._waiting[bundle.key] = bundle

    def cancel(self, signer: str, name: str) -> None:
        """Take a bid back.

        Raises:
            BadValueError: none of this signer and name waits.
        """
        with self._lock:
            if self._waiting.pop((signer, name), None) is None:
                raise BadValueError(f"no bundle {name} of yours waits")

    def take(self, block: int) -> list[Bundle]:
        """Return the bids for a block, the first that came first; they and older ones are gone."""
        with self._lock:
            found = [one for one in self._waiting.values() if one.block == block]
            self._waiting = {key: one for key, one in self._waiting.items() if one.block > block}
            self.head = max(self.head, block)
            return found

    def begin_at(self, head: int) -> None:
        """Forget all bids: a chain begins, of which this is the newest block."""
        with self._lock:
            self._waiting.clear()
            self.head = head

    def __len__(self) -> int:
        """Return how many wait."""
        with self._lock:
            return len(self._waiting)
