"""The emulator's chats: messages as people see them, kept whole for pictures and checks."""

import base64
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.telegram.markup import Span


@dataclass
class Entry:
    """One message of a chat."""

    message_id: int
    chat_id: int
    author_id: int
    is_bot: bool
    date: int
    text: str
    spans: list[Span] = field(default_factory=list)
    buttons: list[list[dict[str, Any]]] = field(default_factory=list)
    photo: bytes | None = None
    document: tuple[str, bytes] | None = None
    edits: int = 0
    is_pinned: bool = False
    is_silent: bool = False

    def wire(self, author: dict[str, Any], chat: dict[str, Any]) -> dict[str, Any]:
        """Return the message as the Bot API shows it."""
        message: dict[str, Any] = {
            "message_id": self.message_id,
            "date": self.date,
            "from": author,
            "chat": chat,
        }
        if self.photo is not None:
            message["photo"] = [
                {
                    "file_id": f"photo-{self.message_id}",
                    "file_unique_id": f"p{self.message_id}",
                    "width": 1080,
                    "height": 1350,
                }
            ]
            message["caption"] = self.text
        elif self.document is not None:
            message["document"] = {
                "file_id": f"document-{self.message_id}",
                "file_unique_id": f"d{self.message_id}",
                "file_name": self.document[0],
                "file_size": len(self.document[1]),
            }
            message["caption"] = self.text
        else:
            message["text"] = self.text
        if self.edits:
            message["edit_date"] = self.date
        if self.buttons:
            message["reply_markup"] = {"inline_keyboard": self.buttons}
        return message

    def record(self) -> dict[str, Any]:
        """Return the message for a picture: JSON only."""
        return {
            "message_id": self.message_id,
            "chat_id": self.chat_id,
            "is_bot": self.is_bot,
            "date": self.date,
            "text": self.text,
            "spans": [[span.kind, span.offset, span.length] for span in self.spans],
            "buttons": [
                [{"text": b["text"], "style": b.get("style")} for b in row] for row in self.buttons
            ],
            "photo": None if self.photo is None else base64.b64encode(self.photo).decode(),
            "document": None
            if self.document is None
            else {"name": self.document[0], "bytes": len(self.document[1])},
            "edits": self.edits,
            "is_pinned": self.is_pinned,
        }


class Chats:
    """All chats of one bot."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.entries: list[Entry] = []
        self._clock = clock
        self._message_ids = itertools.count(1)

    def add(self, *, chat_id: int, author_id: int, is_bot: bool, text: str, **more: Any) -> Entry:
        """Append a message."""
        entry = Entry(
            message_id=next(self._message_ids),
            chat_id=chat_id,
            author_id=author_id,
            is_bot=is_bot,
            date=int(self._clock()),
            text=text,
            **more,
        )
        self.entries.append(entry)
        return entry

    def find(self, chat_id: int, message_id: int) -> Entry | None:
        """Return a message of a chat."""
        for entry in self.entries:
            if (entry.chat_id, entry.message_id) == (chat_id, message_id):
                return entry
        return None

    def from_bot(self) -> list[Entry]:
        """Return what the bot sent, oldest first."""
        return [entry for entry in self.entries if entry.is_bot]
