"""A contract that was paused runs again by a person's word alone, and each is good once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.domain.errors import BadValueError
from engine.domain.signing import Purpose, RefusalKind, Signed, SigningIntent, SignRefusal
from engine.domain.units import NS_PER_S
from engine.domain.words import SealedWord
from engine.sending.encoding import UNPAUSE
from engine.signing.caps import DailyCaps
from engine.signing.curve import LocalKey
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.journal import Journal
from engine.signing.let_run import LASTS_NS
from engine.signing.wallet import LocalWallet
from engine.signing.words import Words
from tests.signing.intents import (
    CODE_HASH,
    NOW_NS,
    TERMS,
    Word,
    make_intent,
    make_protective,
    make_transaction,
)
from tests.signing.saying import WORD_KEY, let_run, went_live


@dataclass
class Signer:
    """A signer whose journal is in memory and whose clock and latch are in our hands."""

    now_ns: int = NOW_NS
    latched_ns: int = 0
    nonce: int = 0
    journal: Journal = field(default_factory=lambda: Journal(Path(":memory:")))

    def __post_init__(self) -> None:
        self.words = Words(key=WORD_KEY, journal=self.journal)
        self.words.let_runs.latched_ns = lambda _engine: self.latched_ns
        self.desk = SigningDesk(
            terms=TERMS,
            journal=self.journal,
            caps=DailyCaps(self.journal, caps_of(TERMS), boot="b", now_ns=NOW_NS),
            leave=Word(),
            clock=lambda: self.now_ns,
            words=self.words,
        )
        self.desk.wallet = LocalWallet(LocalKey(b"\x07" * 32))

    def hear(self, word: SealedWord) -> None:
        self.words.hear(word, self.now_ns)

    async def lets_run(self) -> Signed | SignRefusal:
        """Ask for what lets the contract on base run, with a nonce of its own."""
        self.nonce += 1
        transaction = make_transaction(data=UNPAUSE, gas_limit=100_000, nonce=self.nonce)
        return await self.desk.sign(
            SigningIntent(purpose=Purpose.UNPAUSE, transaction=transaction, code_hash=CODE_HASH)
        )

    async def pauses(self) -> Signed | SignRefusal:
        self.nonce += 1
        return await self.desk.sign(make_protective(Purpose.PAUSE, nonce=self.nonce))

    async def why_not(self) -> str:
        reply = await self.lets_run()
        if isinstance(reply, Signed):
            return ""
        assert reply.kind is RefusalKind.PERMIT
        return reply.detail


@pytest.fixture
def signer() -> Iterator[Signer]:
    one = Signer()
    yield one
    one.journal.close()


async def test_without_a_persons_word_nothing_lets_it_run_again(signer: Signer) -> None:
    assert "no person let the contract on base run again" in await signer.why_not()
    signer.hear(went_live(at_ns=NOW_NS))
    assert "no person let" in await signer.why_not(), "to go live is another word"
    signer.hear(let_run(chain="ethereum", at_ns=NOW_NS))
    assert "no person let" in await signer.why_not(), "that was another chain's contract"
    assert isinstance(await signer.desk.sign(make_intent()), Signed), "for the rest nothing changed"


async def test_one_word_lets_it_run_once(signer: Signer) -> None:
    word = let_run(at_ns=NOW_NS)
    signer.hear(word)
    assert await signer.why_not() == ""
    assert "used already" in await signer.why_not()
    signer.hear(word)
    assert "used already" in await signer.why_not(), "what is told again was used"
    signer.hear(let_run(at_ns=NOW_NS, command_id="c2"))
    assert await signer.why_not() == ""


async def test_whoever_pauses_or_kills_later_is_right(signer: Signer) -> None:
    signer.hear(let_run(at_ns=NOW_NS))
    assert isinstance(await signer.pauses(), Signed)
    assert "no person let" in await signer.why_not()
    signer.hear(let_run(at_ns=NOW_NS, command_id="c2"))
    signer.latched_ns = NOW_NS
    assert "a latch was set or cleared" in await signer.why_not()


async def test_a_word_lasts_for_ten_minutes(signer: Signer) -> None:
    signer.hear(let_run(at_ns=NOW_NS))
    signer.now_ns += LASTS_NS + 1
    assert f"more than {LASTS_NS // NS_PER_S} s ago" in await signer.why_not()
    signer.now_ns -= 1
    assert await signer.why_not() == ""


async def test_what_was_taken_back_lets_nothing_run_and_ends_nothing_else(signer: Signer) -> None:
    signer.hear(went_live(at_ns=NOW_NS))
    signer.hear(let_run(at_ns=NOW_NS))
    signer.words.take_back("main", chain="base")
    assert "no person let" in await signer.why_not()
    assert signer.words.why_not_gone_live("main", 7) == ""


async def test_a_sender_learns_whether_a_person_said_it_by_that_very_command(
    signer: Signer,
) -> None:
    def why(command_id: str, chain: str = "base") -> str:
        return signer.words.why_not_run(chain, now_ns=NOW_NS, command_id=command_id)

    assert "no person let" in why("c1")
    signer.hear(let_run(at_ns=NOW_NS))
    assert why("c1") == ""
    assert "no person let" in why("made up")
    assert "no person let" in why("c1", "ethereum")


async def test_a_word_under_another_seal_and_a_chat_without_a_key_let_nothing_run(
    signer: Signer,
) -> None:
    with pytest.raises(BadValueError, match="seal"):
        signer.hear(let_run(at_ns=NOW_NS, key=bytes(32)))
    signer.words.key = None
    assert "no chat can vouch" in await signer.why_not()
