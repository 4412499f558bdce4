"""What persons said, as their chat passes it on to the signer, past every role between the two.

The chat seals each word with a key that it shares with the signer alone. So a role that makes
plans, or sends them, cannot make up that a person allowed them.
"""

import hashlib
import hmac
from typing import Final

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.mandates import Mandate
from engine.domain.transfer_life import TransferOrder

KEY_BYTES: Final = 32
_SEAL_BYTES: Final = 16
_DOMAIN: Final = b"syndicate-word-1"
_ID_BYTES: Final = 5


class Approved(msgspec.Struct, tag="approved", frozen=True, kw_only=True):
    """A person approved one plan.

    Attributes:
        engine: whose plan it is.
        by: who said so.
        at_ns: when the chat took it.
        digest: of the terms, reckoned by the chat from what it showed.
    """

    engine: str
    by: str
    at_ns: int
    digest: str


class Mandated(msgspec.Struct, tag="mandated", frozen=True, kw_only=True):
    """A person granted a mandate; its end is counted from `at_ns`."""

    engine: str
    by: str
    at_ns: int
    mandate: Mandate


class WentLive(msgspec.Struct, tag="live", frozen=True, kw_only=True):
    """A person let plans be carried out without a word on each.

    Attributes:
        code: of the authenticator, where one was asked for.
    """

    engine: str
    by: str
    at_ns: int
    code: str | None = None

    def __repr__(self) -> str:
        return f"WentLive(engine={self.engine!r}, by={self.by!r})"


class LetRun(msgspec.Struct, tag="let_run", frozen=True, kw_only=True):
    """A person let our contract on a chain take routes again.

    Attributes:
        command_id: under which it is carried out, once.
        code: of the authenticator, where one was asked for.
    """

    engine: str
    by: str
    at_ns: int
    chain: str
    command_id: str
    code: str | None = None

    def __repr__(self) -> str:
        return f"LetRun(engine={self.engine!r}, by={self.by!r}, chain={self.chain!r})"


class TransferAllowed(msgspec.Struct, tag="transfer", frozen=True, kw_only=True):
    """A person allowed one transfer, on exactly these terms.

    Attributes:
        order: with its id: one id is one transfer for ever.
        code: of the authenticator, where one was asked for.
    """

    engine: str
    by: str
    at_ns: int
    order: TransferOrder
    code: str | None = None

    def __repr__(self) -> str:
        return f"TransferAllowed(engine={self.engine!r}, by={self.by!r}, order={self.order!r})"


Word = Approved | Mandated | WentLive | LetRun | TransferAllowed


class SealedWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word as it travels."""

    content: bytes
    seal: bytes

    def __repr__(self) -> str:
        return "SealedWord()"


def sealed_word(word: Word, key: bytes) -> SealedWord:
    """Seal a word with the key that chat and signer share."""
    content = msgspec.msgpack.encode(word)
    return SealedWord(content=content, seal=_seal(content, key))


def opened_word(word: SealedWord, key: bytes) -> Word:
    """Return what was said.

    Raises:
        BadValueError: it was not sealed with this key, or is none.
    """
    if not hmac.compare_digest(_seal(word.content, key), word.seal):
        raise BadValueError("its seal is not that of the chat of this installation")
    try:
        opened: Word = msgspec.msgpack.decode(word.content, type=Word)
    except msgspec.MsgspecError as error:
        raise BadValueError(f"it is no word that is known: {error}") from error
    return opened


def mandate_id_of(command_id: str) -> str:
    """Return the id of the mandate that a command grants: chat, engine and signer name it alike."""
    return f"m{hashlib.blake2b(command_id.encode(), digest_size=_ID_BYTES).hexdigest()}"


def _seal(content: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_SEAL_BYTES, key=key, person=_DOMAIN).digest()
