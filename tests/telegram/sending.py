"""The emulator's methods that write into a chat, with Telegram's checks on what is written."""

import json
from collections import deque
from typing import TYPE_CHECKING, Any

from tests.telegram.chats import Entry
from tests.telegram.faults import bad_request, too_many
from tests.telegram.markup import MarkupError, Span, parse_html, units

if TYPE_CHECKING:
    from tests.telegram.emulator import TelegramEmulator

TEXT_UNITS_MAX = 4096
CAPTION_UNITS_MAX = 1024
BUTTON_BYTES_MAX = 64
_PNG = b"\x89PNG\r\n\x1a\n"


class Sending:
    """Sends, edits and pins; keeps the limit per chat."""

    def __init__(self, emulator: "TelegramEmulator") -> None:
        self._emulator = emulator
        self._sent_at_s: dict[int, deque[float]] = {}

    def answer(self, method: str, parameters: dict[str, Any]) -> Any:
        """Carry out one method."""
        methods = {
            "sendMessage": self._send_message,
            "sendPhoto": self._send_photo,
            "sendDocument": self._send_document,
            "editMessageText": self._edit_text,
            "editMessageReplyMarkup": self._edit_markup,
            "pinChatMessage": self._pin,
            "unpinChatMessage": self._unpin,
            "sendChatAction": self._chat_action,
        }
        if method not in methods:
            raise bad_request(f"method {method} is not emulated")
        return methods[method](parameters)

    def _send_message(self, parameters: dict[str, Any]) -> dict[str, Any]:
        text, spans = _visible(parameters, "text", TEXT_UNITS_MAX)
        if not text.strip():
            raise bad_request("message text is empty")
        return self._add(parameters, text, spans)

    def _send_photo(self, parameters: dict[str, Any]) -> dict[str, Any]:
        text, spans = _visible(parameters, "caption", CAPTION_UNITS_MAX)
        _, content = _file(parameters, "photo")
        if not content.startswith(_PNG):
            raise bad_request("IMAGE_PROCESS_FAILED")
        return self._add(parameters, text, spans, photo=content)

    def _send_document(self, parameters: dict[str, Any]) -> dict[str, Any]:
        text, spans = _visible(parameters, "caption", CAPTION_UNITS_MAX)
        name, content = _file(parameters, "document")
        if not content:
            raise bad_request("file must be non-empty")
        return self._add(parameters, text, spans, document=(name, content))

    def _edit_text(self, parameters: dict[str, Any]) -> dict[str, Any]:
        entry = self._entry(parameters, "message to edit not found")
        text, spans = _visible(parameters, "text", TEXT_UNITS_MAX)
        buttons = _buttons(parameters)
        if (text, spans, buttons) == (entry.text, entry.spans, entry.buttons):
            raise bad_request(
                "message is not modified: specified new message content and reply markup are"
                " exactly the same as a current content and reply markup of the message"
            )
        entry.text, entry.spans, entry.buttons = text, spans, buttons
        entry.edits += 1
        return self._wire(entry)

    def _edit_markup(self, parameters: dict[str, Any]) -> dict[str, Any]:
        entry = self._entry(parameters, "message to edit not found")
        buttons = _buttons(parameters)
        if buttons == entry.buttons:
            raise bad_request("message is not modified")
        entry.buttons = buttons
        return self._wire(entry)

    def _pin(self, parameters: dict[str, Any]) -> bool:
        self._entry(parameters, "message to pin not found").is_pinned = True
        return True

    def _unpin(self, parameters: dict[str, Any]) -> bool:
        self._entry(parameters, "message to unpin not found").is_pinned = False
        return True

    def _chat_action(self, parameters: dict[str, Any]) -> bool:
        self._emulator.check_reachable(int(parameters["chat_id"]))
        return True

    def _entry(self, parameters: dict[str, Any], missing: str) -> Entry:
        entry = self._emulator.chats.find(int(parameters["chat_id"]), int(parameters["message_id"]))
        if entry is None or not entry.is_bot:
            raise bad_request(missing)
        return entry

    def _add(
        self, parameters: dict[str, Any], text: str, spans: list[Span], **more: Any
    ) -> dict[str, Any]:
        chat_id = int(parameters["chat_id"])
        self._emulator.check_reachable(chat_id)
        self._check_pace(chat_id)
        entry = self._emulator.chats.add(
            chat_id=chat_id,
            author_id=self._emulator.bot_id,
            is_bot=True,
            text=text,
            spans=spans,
            buttons=_buttons(parameters),
            is_silent=parameters.get("disable_notification") == "true",
            **more,
        )
        return self._wire(entry)

    def _check_pace(self, chat_id: int) -> None:
        if self._emulator.chat_limit is None:
            return
        count, window_s = self._emulator.chat_limit
        now_s = self._emulator.clock()
        sent = self._sent_at_s.setdefault(chat_id, deque())
        while sent and now_s - sent[0] > window_s:
            sent.popleft()
        if len(sent) >= count:
            raise too_many(1)
        sent.append(now_s)

    def _wire(self, entry: Entry) -> dict[str, Any]:
        chat = {"id": entry.chat_id, "type": "private" if entry.chat_id > 0 else "group"}
        return entry.wire(self._emulator.person(entry.author_id), chat)


def _visible(parameters: dict[str, Any], name: str, limit: int) -> tuple[str, list[Span]]:
    text = str(parameters.get(name, ""))
    spans: list[Span] = []
    mode = parameters.get("parse_mode")
    if mode == "HTML":
        try:
            text, spans = parse_html(text)
        except MarkupError as error:
            raise bad_request(f"can't parse entities: {error}") from error
    elif mode is not None:
        raise bad_request("unsupported parse_mode")
    if units(text) > limit:
        raise bad_request(
            "message is too long" if name == "text" else "message caption is too long"
        )
    return text, spans


def _buttons(parameters: dict[str, Any]) -> list[list[dict[str, Any]]]:
    rows: list[list[dict[str, Any]]] = json.loads(parameters.get("reply_markup", "{}")).get(
        "inline_keyboard", []
    )
    for button in (button for row in rows for button in row):
        if not button.get("text"):
            raise bad_request("inline keyboard button text must be non-empty")
        if not 1 <= len(button.get("callback_data", "").encode()) <= BUTTON_BYTES_MAX:
            raise bad_request("BUTTON_DATA_INVALID")
    return rows


def _file(parameters: dict[str, Any], field: str) -> tuple[str, bytes]:
    value = parameters.get(field)
    if isinstance(value, str) and value.startswith("attach://"):
        value = parameters.get(value.removeprefix("attach://"))
    if not isinstance(value, tuple):
        raise bad_request(f"there is no {field} in the request")
    return value
