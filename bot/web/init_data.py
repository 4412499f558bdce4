"""What Telegram says about whoever opened the page, believed only with both of its signatures.

The one is made with the bot's token, the other with a key of Telegram's own: a token that somebody
stole opens the page to nobody. What was signed is fresh, and lets in once: what was signed before
this process began is refused, so that nothing has to be kept over a restart.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Final
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from engine.domain.people import Person
from engine.domain.units import NS_PER_S
from engine.facade.web import PageTerms

CHARACTERS_MAX: Final = 4_096
FIELDS_MAX: Final = 32
AHEAD_S_MAX: Final = 10
"""Telegram's clock may be so far ahead of ours."""

_HASH: Final = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_SECONDS: Final = re.compile(r"[1-9][0-9]{8,11}\Z", re.ASCII)


class Unbelieved(StrEnum):
    """Why what was shown lets nobody in."""

    FORGED = "it is not what Telegram signed"
    STRANGER = "it is of somebody who may not write to the bot"
    STALE = "it was signed too long ago: close the page, and open it again in the chat"
    USED = "it let somebody in before: close the page, and open it again in the chat"


class _User(msgspec.Struct, frozen=True):
    id: Annotated[int, Meta(gt=0)]


class InitData:
    """Judges what the page was opened with.

    Args:
        terms: how it is checked, and who may come in.
        clock: wall clock, nanoseconds since 1970.
    """

    def __init__(self, terms: PageTerms, clock: Callable[[], int]) -> None:
        self._terms = terms
        self._clock = clock
        self._people = {one.user_id: one for one in terms.people}
        from bot.web.ed25519 import checked_by  # noqa: PLC0415 - 7 MB that few need

        self._is_telegrams = checked_by(terms.telegram_key)
        self._began_s = clock() // NS_PER_S
        self._used: dict[str, int] = {}

    def judge(self, text: str) -> Person | Unbelieved:
        """Return who opened the page, and use that up; or why nobody is let in."""
        fields = _read(text)
        if fields is None or not self._is_signed(fields):
            return Unbelieved.FORGED
        signed_s, now_s = int(fields["auth_date"]), self._clock() // NS_PER_S
        age_s = now_s - signed_s
        if not -AHEAD_S_MAX <= age_s <= self._terms.age_s_max or signed_s < self._began_s:
            return Unbelieved.STALE
        person = self._person(fields.get("user", ""))
        if person is None:
            return Unbelieved.STRANGER
        self._used = {one: until for one, until in self._used.items() if until >= now_s}
        if fields["hash"] in self._used:
            return Unbelieved.USED
        self._used[fields["hash"]] = signed_s + self._terms.age_s_max
        return person

    def person(self, name: str) -> Person | None:
        """Return the person of a name, if they may come in."""
        return next((one for one in self._people.values() if one.name == name), None)

    def _is_signed(self, fields: dict[str, str]) -> bool:
        expected = hmac.new(self._terms.key, _lines(fields, but={"hash"}), hashlib.sha256)
        if not hmac.compare_digest(expected.hexdigest(), fields["hash"]):
            return False
        text = fields["signature"]
        try:
            signature = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError):
            return False
        signed = f"{self._terms.bot_id}:WebAppData\n".encode()
        return self._is_telegrams(signature, signed + _lines(fields, but={"hash", "signature"}))

    def _person(self, user: str) -> Person | None:
        try:
            return self._people.get(msgspec.json.decode(user, type=_User).id)
        except (msgspec.MsgspecError, UnicodeEncodeError):
            return None


def _read(text: str) -> dict[str, str] | None:
    """Return the fields; None where one is missing, stands twice, or cannot be what it says."""
    if len(text) > CHARACTERS_MAX:
        return None
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        return None
    fields = dict(pairs)
    if len(fields) != len(pairs) or not {"hash", "signature", "auth_date"} <= set(fields):
        return None
    if _HASH.match(fields["hash"]) is None or _SECONDS.match(fields["auth_date"]) is None:
        return None
    return fields


def _lines(fields: dict[str, str], *, but: set[str]) -> bytes:
    """Return what is signed: `name=value` sorted by name, with line feeds between."""
    lines = (f"{name}={value}" for name, value in sorted(fields.items()) if name not in but)
    return "\n".join(lines).encode("utf-8", "surrogatepass")
