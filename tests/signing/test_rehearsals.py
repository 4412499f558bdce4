"""A rehearsal goes through what a signature takes, and changes nothing."""

from pathlib import Path

import msgspec
import pytest

from engine.domain.signing import Signed, SigningIntent
from engine.signing import desk as of_desk
from engine.signing.caps import DailyCaps
from engine.signing.curve import LocalKey
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.journal import Journal
from engine.signing.wallet import LocalWallet
from tests.signing.intents import CHAIN_ID, NOW_NS, TERMS, make_intent

SECRET = b"\x07" * 32


class Room:
    """A signer's desk, and whether its key was used."""

    def __init__(self) -> None:
        self.journal = Journal(Path(":memory:"))
        self.caps = DailyCaps(self.journal, caps_of(TERMS), boot="one", now_ns=NOW_NS)
        self.asked: list[SigningIntent] = []
        self.desk = SigningDesk(
            terms=TERMS,
            journal=self.journal,
            caps=self.caps,
            leave=self.asked.append,
            clock=lambda: NOW_NS,
        )
        self.desk.wallet = LocalWallet(LocalKey(SECRET))


@pytest.fixture
def room() -> Room:
    return Room()


async def test_nothing_is_kept_counted_or_asked_of_latch_and_mode(room: Room) -> None:
    wallet = room.desk.wallet
    assert wallet is not None
    before = dict(room.caps.used)

    room.desk.rehearse(make_intent())

    assert room.caps.used == before
    assert room.journal.of_nonce(wallet.address, CHAIN_ID, 0) == []
    assert room.asked == []


async def test_our_key_signs_no_rehearsal(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[bytes] = []

    class Noted:
        def sign(self, digest: bytes) -> object:
            signed.append(digest)
            return LocalKey(b"\x01" * 32).sign(digest)

    monkeypatch.setattr(of_desk, "_NOBODY", Noted())
    monkeypatch.setattr(room.desk.wallet, "_key", None)

    room.desk.rehearse(make_intent())

    assert len(signed) == 1
    assert LocalKey(b"\x01" * 32).address != LocalKey(SECRET).address


async def test_what_was_rehearsed_is_signed_as_what_was_not(room: Room) -> None:
    room.desk.rehearse(make_intent())

    reply = await room.desk.sign(make_intent())

    other = Room()
    assert reply == await other.desk.sign(make_intent())
    assert isinstance(reply, Signed)
    assert not reply.is_repeat
    assert room.caps.used == other.caps.used


@pytest.mark.parametrize("steps", [0, 1])
async def test_what_would_be_refused_is_rehearsed_without_a_word(room: Room, steps: int) -> None:
    intent = make_intent()
    assert intent.plan is not None
    plan = msgspec.structs.replace(intent.plan, steps=intent.plan.steps[:steps])

    room.desk.rehearse(msgspec.structs.replace(intent, plan=plan))
    room.desk.rehearse(msgspec.structs.replace(intent, plan=None))

    assert room.caps.used == {}


async def test_while_the_key_is_locked_there_is_nothing_to_rehearse(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.desk.wallet = None
    monkeypatch.setattr(of_desk, "_NOBODY", None)

    room.desk.rehearse(make_intent())

    assert room.caps.used == {}
