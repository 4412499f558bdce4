"""What a person has to know of sending: told as notices, each once a while by its first words."""

from typing import Final

from engine.bus.notices import SendingTrouble
from engine.bus.records import NoticeRecord
from engine.bus.request import Caller
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock
from engine.sending.matters import matter_of
from engine.wiring.for_ledger import ForLedger

AGAIN_NS: Final = 60 * NS_PER_S
SAME_CHARACTERS: Final = 40
SHOWN_CHARACTERS: Final = 300
BEGINNINGS_MAX: Final = 500


class SendingWarnings:
    """What a person has to know, told once a while by its first words."""

    def __init__(self, ledger: Caller, *, basis: Basis, clock: Clock) -> None:
        self._basis = basis
        self._clock = clock
        self._records = ForLedger(ledger, kind="transactions", basis=basis, clock=clock)
        self._told_at_ns: dict[str, int] = {}
        self.run = self._records.run

    def tell(self, chain: str, sentence: str) -> None:
        """Tell a sentence, unless one that begins like it was told just before."""
        at_ns = self._clock()
        begins = f"{chain} {sentence[:SAME_CHARACTERS]}"
        if at_ns - self._told_at_ns.get(begins, 0) < AGAIN_NS:
            return
        if len(self._told_at_ns) >= BEGINNINGS_MAX:
            self._told_at_ns.clear()
        self._told_at_ns[begins] = at_ns
        notice = SendingTrouble(
            at_ns=at_ns,
            basis=self._basis,
            chain=chain,
            what=sentence[:SHOWN_CHARACTERS],
            matter=matter_of(sentence),
        )
        self._records.store_later(NoticeRecord(record_id=f"sending-{chain}-{at_ns}", notice=notice))
