"""What the gateway is told of the phone: who may come in by the page, and how that is checked.

It is handed on in the environment, and has not the bot's token: the key that is made of it checks
what Telegram signed for the page, and speaks to Telegram for nobody.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Final

import msgspec

from engine.domain.people import Person, Rank
from engine.facade.web import PageTerms
from engine.settings.schema import Settings, TelegramSettings

PAGE_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_PAGE"
_LABEL: Final = b"WebAppData"


class _Told(msgspec.Struct, frozen=True):
    bot_id: int
    key: str
    people: list[tuple[int, Rank]]


def told_page(settings: Settings) -> dict[str, str]:
    """Return what of the phone goes into the gateway's environment; nothing without a phone."""
    token = settings.telegram.bot_token
    if token is None:
        return {}
    told = _Told(
        bot_id=int(token.partition(":")[0]),
        key=hmac.new(_LABEL, token.encode(), hashlib.sha256).hexdigest(),
        people=[(one.user_id, one.rank) for one in people_of(settings.telegram)],
    )
    return {PAGE_ENVIRONMENT_NAME: msgspec.json.encode(told).decode()}


def page_terms(environment: Mapping[str, str], *, age_s_max: int) -> PageTerms | None:
    """Return what this process was told, None for nothing; it is handed on to nobody."""
    text = environment.get(PAGE_ENVIRONMENT_NAME)
    os.environ.pop(PAGE_ENVIRONMENT_NAME, None)
    if text is None:
        return None
    told = msgspec.json.decode(text, type=_Told)
    return PageTerms(
        bot_id=told.bot_id,
        key=bytes.fromhex(told.key),
        people=[Person(user_id, rank) for user_id, rank in told.people],
        age_s_max=age_s_max,
    )


def people_of(telegram: TelegramSettings) -> tuple[Person, ...]:
    """Return who may write to the bot, the owner first."""
    if telegram.operator_id is None:
        return ()
    others = (Person(int(user_id), Rank(rank)) for user_id, rank in telegram.people.items())
    return (Person(telegram.operator_id, Rank.ADMIN), *others)
