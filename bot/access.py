"""Who may command: stands in front of every update, before anything is stored or answered.

Only a numeric user id that was let in authorises, and only by an original message or a tap in that
person's private chat with the bot. Everything else is dropped in silence and counted.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from cachetools import FIFOCache

from bot.updates import Message, Query, Update, is_there
from engine.domain.people import Rank
from engine.domain.units import NS_PER_S

_log = logging.getLogger(__name__)

STRANGERS_MAX: Final = 256
"""Strangers whose last log line is remembered; the one seen longest ago gives way."""

LOG_INTERVAL_S: Final = 600
"""A stranger is logged once in this time."""

PRIVATE: Final = "private"


class Denial(StrEnum):
    """Why an update was dropped."""

    UNREADABLE = "unreadable"
    KIND = "kind of update"
    STRANGER = "stranger"
    NOT_PRIVATE = "not a private chat"
    FORWARDED = "forwarded"
    VIA_BOT = "via a bot"
    ON_BEHALF = "on behalf of a chat or business"
    NOT_TYPED = "not typed by a person now"
    INLINE = "button of an inline message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tap:
    """A button that was tapped.

    Attributes:
        is_visible: the message still exists for the bot, so its text is what was tapped on.
    """

    query_id: str
    payload: str
    message_id: int
    is_visible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An update that somebody sent who may: a message or a tap.

    Attributes:
        rank: what this person may do.
        sent_at_s: Telegram's date of a message; taps carry none.
        text: None for a message without text.
    """

    update_id: int
    user_id: int
    chat_id: int
    rank: Rank
    sent_at_s: int | None
    text: str | None
    tap: Tap | None


@dataclass(slots=True)
class Access:
    """Lets original messages and taps of those who may through, and counts the rest.

    Attributes:
        ranks: what each person may do, by user id.
    """

    ranks: Mapping[int, Rank]
    clock: Callable[[], int]
    denied: Counter[Denial] = field(default_factory=Counter, init=False)
    _logged_at_ns: FIFOCache[int, int] = field(
        default_factory=lambda: FIFOCache(STRANGERS_MAX), init=False
    )

    def admit(self, update: Update) -> Incoming | None:
        """Return what a person sent who may; a denial is None, counted, and answered by nothing."""
        verdict = self._judge(update)
        if isinstance(verdict, Incoming):
            return verdict
        user = update.sender
        self.deny(verdict, user_id=None if user is None else user.id)
        return None

    def deny(self, denial: Denial, *, user_id: int | None) -> None:
        """Count a denial; log it by user id only, and not more often than once in a while."""
        self.denied[denial] += 1
        key = user_id if isinstance(user_id, int) else -1  # it comes from outside, as anything
        now_ns = self.clock()
        last_ns = self._logged_at_ns.get(key)
        if last_ns is not None and 0 <= now_ns - last_ns < LOG_INTERVAL_S * NS_PER_S:
            return
        self._logged_at_ns[key] = now_ns
        _log.warning(
            "update dropped (%s) from user %s; %d dropped so far", denial, key, self.denied.total()
        )

    def _judge(self, update: Update) -> Incoming | Denial:
        if update.message is not None:
            return self._judge_message(update.update_id, update.message)
        if update.callback_query is not None:
            return self._judge_tap(update.update_id, update.callback_query)
        return Denial.KIND

    def _judge_message(self, update_id: int, message: Message) -> Incoming | Denial:
        user = message.sender
        rank = None if user is None or user.is_bot else self.ranks.get(user.id)
        if user is None or rank is None:
            return Denial.STRANGER
        denial = _denial_of_message(message, person_id=user.id)
        if denial is not None:
            return denial
        return Incoming(
            update_id=update_id,
            user_id=user.id,
            chat_id=message.chat.id,
            rank=rank,
            sent_at_s=message.date,
            text=message.text,
            tap=None,
        )

    def _judge_tap(self, update_id: int, query: Query) -> Incoming | Denial:
        user = query.sender
        rank = None if user.is_bot else self.ranks.get(user.id)
        if rank is None:
            return Denial.STRANGER
        message = query.message
        if message is None or is_there(query.inline_message_id) or query.data is None:
            return Denial.INLINE
        if message.chat.type != PRIVATE or message.chat.id != user.id:
            return Denial.NOT_PRIVATE
        if is_there(message.forward_origin):
            return Denial.FORWARDED
        return Incoming(
            update_id=update_id,
            user_id=user.id,
            chat_id=message.chat.id,
            rank=rank,
            sent_at_s=None,
            text=None,
            tap=Tap(
                query_id=query.id,
                payload=query.data,
                message_id=message.message_id,
                is_visible=message.date > 0,
            ),
        )


def _denial_of_message(message: Message, *, person_id: int) -> Denial | None:
    if message.chat.type != PRIVATE or message.chat.id != person_id:
        return Denial.NOT_PRIVATE
    if is_there(message.forward_origin) or is_there(message.is_automatic_forward):
        return Denial.FORWARDED
    if is_there(message.via_bot):
        return Denial.VIA_BOT
    if (
        is_there(message.sender_chat)
        or is_there(message.business_connection_id)
        or is_there(message.sender_business_bot)
    ):
        return Denial.ON_BEHALF
    if is_there(message.is_from_offline) or is_there(message.edit_date):
        return Denial.NOT_TYPED
    return None
