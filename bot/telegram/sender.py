"""One message as one Bot API call, through the library."""

import asyncio
from dataclasses import dataclass, field
from typing import Final, Protocol

from telegram import Bot, InputFile, LinkPreviewOptions
from telegram.constants import ChatAction, MessageLimit, ParseMode
from telegram.request import HTTPXRequest

from bot.render.html import plain_of
from bot.telegram.outgoing import Outgoing
from bot.telegram.requests import UPLOAD_S, make_request

REPEATED: Final = "\n<i>Sent again: it may stand above already.</i>"
_PHOTO_NAME = "chart.png"
_CLOSE_S = 0.5


class SendsMessages(Protocol):
    """What the outbox needs."""

    async def send(self, message: Outgoing) -> None:
        """Make the call; raises the library's errors."""
        ...


@dataclass(slots=True, kw_only=True)
class Line:
    """A bot's connection to Telegram, over which everything is sent."""

    token: str = field(repr=False)
    base_url: str
    file_url: str
    send_s: float
    proxy: str | None = field(default=None, repr=False)
    bot: Bot = field(init=False, repr=False)
    _request: HTTPXRequest = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._request = make_request(read_s=self.send_s, proxy=self.proxy)
        self.bot = Bot(
            token=self.token,
            base_url=self.base_url,
            base_file_url=self.file_url,
            request=self._request,
            get_updates_request=self._request,
        )

    async def close(self) -> None:
        """Close the connections."""
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._request.shutdown()
        except TimeoutError:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Writes to one private chat."""

    line: Line
    chat_id: int
    send_s: float

    @property
    def bot(self) -> Bot:
        """Return what makes the calls."""
        return self.line.bot

    async def send(self, message: Outgoing) -> None:
        """Make the one call that this message stands for."""
        is_upload = message.photo is not None or message.document is not None
        async with asyncio.timeout(UPLOAD_S if is_upload else 2 * self.send_s):
            if message.edits is not None:
                await self._edit(message, message.edits)
                message.sent_id = message.edits
            elif message.photo is not None:
                await self._send_photo(message, message.photo)
            elif message.document is not None:
                await self._send_document(message)
            else:
                message.sent_id = await self._send_text(message)

    async def show_activity(self) -> None:
        """Show that a picture is on its way; best effort."""
        await self.bot.send_chat_action(self.chat_id, ChatAction.UPLOAD_PHOTO)

    async def _send_text(self, message: Outgoing) -> int:
        sent = await self.bot.send_message(
            chat_id=self.chat_id,
            text=_text(message),
            parse_mode=_parse_mode(message),
            reply_markup=message.buttons,
            disable_notification=message.is_silent,
            protect_content=message.is_protected,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )
        return sent.message_id

    async def _edit(self, message: Outgoing, message_id: int) -> None:
        await self.bot.edit_message_text(
            chat_id=self.chat_id,
            message_id=message_id,
            text=_text(message),
            parse_mode=_parse_mode(message),
            reply_markup=message.buttons,
            link_preview_options=LinkPreviewOptions(is_disabled=True),
        )

    async def _send_photo(self, message: Outgoing, photo: bytes) -> None:
        await self.bot.send_photo(
            chat_id=self.chat_id,
            photo=InputFile(photo, filename=_PHOTO_NAME),
            caption=_text(message),
            parse_mode=_parse_mode(message),
            reply_markup=message.buttons,
        )

    async def _send_document(self, message: Outgoing) -> None:
        assert message.document is not None
        await self.bot.send_document(
            chat_id=self.chat_id,
            document=InputFile(message.document.content, filename=message.document.file_name),
            caption=_text(message),
            parse_mode=_parse_mode(message),
            reply_markup=message.buttons,
        )


def _text(message: Outgoing) -> str:
    html = message.html
    if message.is_repeat and message.edits is None:
        is_caption = message.photo is not None or message.document is not None
        limit = MessageLimit.CAPTION_LENGTH if is_caption else MessageLimit.MAX_TEXT_LENGTH
        if len(html) + len(REPEATED) <= limit:
            html += REPEATED
    return plain_of(html) if message.is_plain else html


def _parse_mode(message: Outgoing) -> str | None:
    return None if message.is_plain else ParseMode.HTML
