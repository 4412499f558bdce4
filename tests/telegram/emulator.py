"""The Bot API over HTTP, as far as a bot in private chats needs it, with scripted faults.

Serves long polling with offsets, redelivery of what was not confirmed, one poller at a time,
messages with markup and length checks, files, edits, taps, webhooks with their secret, limits per
chat. `person_writes` and `person_taps` act for people; `transcript` and `record` show the chat.
"""

import asyncio
import itertools
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.patience import PATIENCE_S
from tests.telegram.chats import Chats, Entry
from tests.telegram.faults import SCRIPTED_ANSWERS, ApiError, CutError, Fault, Kind, bad_request
from tests.telegram.sending import Sending

OPERATOR_ID = 4242
BOT_ID = 777000111
TOKEN = f"{BOT_ID}:AAH-emulated_token_of_thirtyfive_ch"

_UPDATES_LIMIT = 100
_TAP_AGE_S_MAX = 900


@dataclass
class Webhook:
    """Where updates are posted to, and the newest trouble with it."""

    url: str
    secret: str | None
    posting: asyncio.Task[None] | None = None
    error: dict[str, Any] = field(default_factory=dict)


class TelegramEmulator:
    """One bot's Bot API endpoint on a free loopback port."""

    def __init__(self, *, clock: Callable[[], float] = time.time, token: str = TOKEN) -> None:
        self.clock = clock
        self.token = token
        self.bot_id = int(token.partition(":")[0])
        self.beside: list[TelegramEmulator] = []
        self.chats = Chats(clock)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tap_answers: list[dict[str, Any]] = []
        self.commands: list[dict[str, str]] = []
        self.menus: dict[int, list[dict[str, str]]] = {}
        self.menu_button: dict[str, Any] | None = None
        self.menu_buttons: dict[int, dict[str, Any]] = {}
        self.chat_limit: tuple[int, float] | None = None
        self.ignores_allowed_updates = False
        self.confirmed_offset = 0
        self.conflicts = 0
        self.posts: list[tuple[int, int]] = []
        self.port = 0
        self._sending = Sending(self)
        self._updates: list[dict[str, Any]] = []
        self._update_ids = itertools.count(100_001)
        self._query_ids = itertools.count(1)
        self._open_queries: dict[str, float] = {}
        self._allowed: list[str] | None = None
        self._duplicates = 0
        self._scripts: dict[str, deque[Fault]] = {}
        self._poll_serial = 0
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._webhook: Webhook | None = None
        self._blocked_by: set[int] = set()

    # --- what tests use ------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Value for a bot's `base_url`."""
        return f"http://127.0.0.1:{self.port}/bot"

    def person_writes(
        self,
        text: str | None,
        *,
        person_id: int = OPERATOR_ID,
        chat_id: int | None = None,
        chat_type: str = "private",
        date: int | None = None,
        kind: str = "message",
        fields: dict[str, Any] | None = None,
    ) -> int:
        """Write to the bot; `fields` are added to the wire message. Returns the update id."""
        chat = {"id": person_id if chat_id is None else chat_id, "type": chat_type}
        entry = self.chats.add(
            chat_id=int(str(chat["id"])), author_id=person_id, is_bot=False, text=text or ""
        )
        message = entry.wire(self.person(person_id), chat)
        if text is None:
            message.pop("text")
        if date is not None:
            message["date"] = date
        message.update(fields or {})
        return self.push({kind: {k: v for k, v in message.items() if v is not None}})

    def person_taps(
        self,
        button: str,
        *,
        message_id: int | None = None,
        person_id: int = OPERATOR_ID,
        fields: dict[str, Any] | None = None,
    ) -> int:
        """Tap a button by its label, on the newest message that has it. Returns the update id."""
        for entry in reversed(self.chats.entries):
            if message_id not in {None, entry.message_id}:
                continue
            for row in entry.buttons:
                for candidate in row:
                    if candidate["text"] == button:
                        return self._tap(entry, candidate["callback_data"], person_id, fields)
        raise AssertionError(f"no button “{button}” in the chat")

    def tap_raw(self, entry: Entry, payload: str, *, person_id: int = OPERATOR_ID) -> int:
        """Tap with callback data that no button need have."""
        return self._tap(entry, payload, person_id, None)

    def with_bot(self, token: str) -> "TelegramEmulator":
        """Return a second bot at the same address, with chats, updates and limits of its own."""
        other = TelegramEmulator(clock=self.clock, token=token)
        self.beside.append(other)
        return other

    def push(self, update: dict[str, Any], *, update_id: int | None = None) -> int:
        """Queue an update of any kind."""
        number = next(self._update_ids) if update_id is None else update_id
        self._updates.append({"update_id": number, **update})
        self.notify()
        return number

    def script(self, method: str, *faults: Fault) -> None:
        """Let the next calls of a method fail, one fault each."""
        self._scripts.setdefault(method, deque()).extend(faults)

    def forget_faults(self) -> None:
        """Let no call fail any more."""
        self._scripts.clear()

    def duplicate_next(self, count: int = 1) -> None:
        """Deliver the next confirmed updates once more, with their old ids."""
        self._duplicates += count

    def block(self, person_id: int = OPERATOR_ID, *, is_blocked: bool = True) -> None:
        """Let a person block the bot, or unblock it."""
        (self._blocked_by.add if is_blocked else self._blocked_by.discard)(person_id)

    def person(self, person_id: int) -> dict[str, Any]:
        """Return a user on the wire."""
        if person_id == self.bot_id:
            name = "syn_bot" if person_id == BOT_ID else "syn_pager_bot"
            return {"id": person_id, "is_bot": True, "first_name": "Syndicate", "username": name}
        return {"id": person_id, "is_bot": False, "first_name": f"Person {person_id}"}

    def transcript(self) -> list[str]:
        """Return what the bot said, oldest first, as visible text."""
        return [entry.text for entry in self.chats.from_bot()]

    def record(self) -> dict[str, Any]:
        """Return the whole chat as JSON values, pictures as base64."""
        return {
            "bot": self.person(self.bot_id),
            "messages": [entry.record() for entry in self.chats.entries],
            "tap_answers": list(self.tap_answers),
            "commands": list(self.commands),
        }

    def unconfirmed(self) -> list[int]:
        """Return ids of updates that no poller has confirmed."""
        return [update["update_id"] for update in self._updates]

    async def wait_until(self, is_met: Callable[[], bool]) -> None:
        """Wait until a condition on the emulator holds."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_met():
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(
                f"not met within {PATIENCE_S:g} s; the bot said {self.transcript()[-5:]}"
            ) from None

    @property
    def changed(self) -> asyncio.Event:
        """Return what is set with the next change."""
        return self._changed

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self._changed.set()
        self._changed = asyncio.Event()

    # --- serving -------------------------------------------------------------------------

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["TelegramEmulator"]:
        """Listen until left."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._serve_call)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            for one in (self, *self.beside):
                one._closing.set()
                one.notify()
                await one._end_webhook()
            await runner.cleanup()

    async def _serve_call(self, request: web.Request) -> web.StreamResponse:
        for other in self.beside:
            if request.match_info["token"].partition(":")[0] == str(other.bot_id):
                return await other._serve_call(request)
        method = request.match_info["method"]
        parameters = await _parameters(request)
        self.calls.append((method, parameters))
        self.notify()
        if request.match_info["token"] != self.token:
            return _error(ApiError(401, "Unauthorized"))
        script = self._scripts.get(method)
        fault = script.popleft() if script else None
        try:
            if fault is not None:
                await self._fail_before(fault)
            result = await self._answer(method, parameters)
        except ApiError as error:
            return _error(error)
        except CutError:
            return _cut(request)
        finally:
            self.notify()
        if fault is not None and fault.kind is Kind.LOST_REPLY:
            return _cut(request)
        return web.json_response({"ok": True, "result": result})

    async def _fail_before(self, fault: Fault) -> None:
        kind = fault.kind
        if kind in SCRIPTED_ANSWERS:
            raise SCRIPTED_ANSWERS[kind](fault)
        if kind is Kind.HANG:
            await self._closing.wait()
        if kind in {Kind.HANG, Kind.CUT}:
            raise CutError
        if kind is Kind.GARBAGE:
            raise web.HTTPOk(text="<html>gateway</html>", content_type="text/html")

    async def _answer(self, method: str, parameters: dict[str, Any]) -> Any:
        own: dict[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "getMe": self._get_me,
            "getUpdates": self._get_updates,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._get_webhook_info,
            "setMyCommands": self._set_my_commands,
            "setChatMenuButton": self._set_menu_button,
            "answerCallbackQuery": self._answer_callback_query,
        }
        if method in own:
            return await own[method](parameters)
        return self._sending.answer(method, parameters)

    # --- updates -------------------------------------------------------------------------

    async def _get_me(self, _: dict[str, Any]) -> dict[str, Any]:
        return {**self.person(self.bot_id), "can_join_groups": False}

    async def _get_updates(self, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        if self._webhook is not None:
            self.conflicts += 1
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first",
            )
        self._poll_serial += 1
        serial = self._poll_serial
        self.notify()
        if "allowed_updates" in parameters:
            self._allowed = json.loads(parameters["allowed_updates"]) or None
        self._confirm(int(parameters.get("offset", 0)))
        limit = min(int(parameters.get("limit", _UPDATES_LIMIT)), _UPDATES_LIMIT)
        with suppress(TimeoutError):
            async with asyncio.timeout(float(parameters.get("timeout", 0))):
                while not self._deliverable() and not self._closing.is_set():
                    await self._changed.wait()
                    self._check_only_poller(serial)
        self._check_only_poller(serial)
        return self._deliverable()[:limit]

    def _check_only_poller(self, serial: int) -> None:
        if serial != self._poll_serial:
            self.conflicts += 1
            raise ApiError(
                409,
                "Conflict: terminated by other getUpdates request;"
                " make sure that only one bot instance is running",
            )

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._updates = self._updates[offset:]
            return
        kept: list[dict[str, Any]] = []
        for update in self._updates:
            if update["update_id"] >= offset:
                kept.append(update)
            elif self._duplicates:
                self._duplicates -= 1
                kept.append(update)
        self._updates = kept
        self.confirmed_offset = max(self.confirmed_offset, offset)

    def _deliverable(self) -> list[dict[str, Any]]:
        if self._allowed is None or self.ignores_allowed_updates:
            return list(self._updates)
        allowed = {*self._allowed, "update_id"}
        return [update for update in self._updates if set(update) <= allowed]

    def _tap(
        self, entry: Entry, payload: str, person_id: int, fields: dict[str, Any] | None
    ) -> int:
        query_id = str(next(self._query_ids))
        self._open_queries[query_id] = self.clock()
        chat = {"id": entry.chat_id, "type": "private" if entry.chat_id > 0 else "group"}
        query = {
            "id": query_id,
            "from": self.person(person_id),
            "chat_instance": "1",
            "data": payload,
            "message": entry.wire(self.person(entry.author_id), chat),
            **(fields or {}),
        }
        return self.push(
            {"callback_query": {name: value for name, value in query.items() if value is not None}}
        )

    async def _answer_callback_query(self, parameters: dict[str, Any]) -> bool:
        opened = self._open_queries.pop(str(parameters["callback_query_id"]), None)
        if opened is None or self.clock() - opened > _TAP_AGE_S_MAX:
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        if len(parameters.get("text", "")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        self.tap_answers.append(parameters)
        return True

    # --- settings of the bot -------------------------------------------------------------

    async def _set_my_commands(self, parameters: dict[str, Any]) -> bool:
        commands = json.loads(parameters["commands"])
        for command in commands:
            name, text = command["command"], command["description"]
            if not (1 <= len(name) <= 32 and name == name.lower() and name.isascii()):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(text) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        scope = json.loads(parameters.get("scope", "{}"))
        if scope.get("type") != "chat":
            self.commands = commands
        elif any(entry.chat_id == scope["chat_id"] for entry in self.chats.entries):
            self.menus[scope["chat_id"]] = commands
        else:
            raise bad_request("chat not found")
        return True

    async def _set_menu_button(self, parameters: dict[str, Any]) -> bool:
        button, chat_id = json.loads(parameters.get("menu_button", "{}")), parameters.get("chat_id")
        if chat_id is None:
            self.menu_button = button
        elif any(entry.chat_id == int(chat_id) for entry in self.chats.entries):
            self.menu_buttons[int(chat_id)] = button
        else:
            raise bad_request("chat not found")
        return True

    async def _set_webhook(self, parameters: dict[str, Any]) -> bool:
        url, secret = parameters["url"], parameters.get("secret_token")
        if not url.startswith(("https://", "http://127.0.0.1:")):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if secret is not None and re.fullmatch(r"[A-Za-z0-9_-]{1,256}", secret) is None:
            raise bad_request("secret token contains unallowed characters")
        await self._end_webhook()
        if "allowed_updates" in parameters:
            self._allowed = json.loads(parameters["allowed_updates"]) or None
        if parameters.get("drop_pending_updates") == "true":
            self._updates = []
        self._webhook = webhook = Webhook(url, secret)
        webhook.posting = asyncio.create_task(self._post_updates(webhook))
        return True

    async def _delete_webhook(self, parameters: dict[str, Any]) -> bool:
        await self._end_webhook()
        if parameters.get("drop_pending_updates") == "true":
            self._updates = []
        return True

    async def _get_webhook_info(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": self._webhook.url if self._webhook else "",
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
            **(self._webhook.error if self._webhook else {}),
        }

    async def _post_updates(self, webhook: Webhook) -> None:
        """Post one after the other: Telegram posts the next of a chat once it has the last off."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                while not self._deliverable():
                    await self._changed.wait()
                update = self._deliverable()[0]
                trouble = "Connection refused"
                with suppress(aiohttp.ClientError, TimeoutError):
                    async with session.post(
                        webhook.url, json=update, timeout=aiohttp.ClientTimeout(total=10)
                    ) as reply:
                        trouble = "" if reply.ok else f"Wrong response: {reply.status}"
                        self.posts.append((update["update_id"], reply.status))
                if not trouble and self._duplicates:
                    self._duplicates -= 1  # the answer was lost on its way
                elif not trouble:
                    self._updates.remove(update)
                else:
                    webhook.error = {
                        "last_error_date": int(self.clock()),
                        "last_error_message": trouble,
                    }
                    await asyncio.sleep(0.02)
                self.notify()

    async def _end_webhook(self) -> None:
        if self._webhook is not None and self._webhook.posting is not None:
            self._webhook.posting.cancel()
            await asyncio.gather(self._webhook.posting, return_exceptions=True)
        self._webhook = None

    # --- limits --------------------------------------------------------------------------

    def check_reachable(self, chat_id: int) -> None:
        """Raise where a chat does not exist or its person blocked the bot."""
        if chat_id in self._blocked_by:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if not any(entry.chat_id == chat_id for entry in self.chats.entries):
            raise bad_request("chat not found")


async def _parameters(request: web.Request) -> dict[str, Any]:
    parameters: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        parameters.update(await request.json())
    elif request.method == "POST":
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                parameters[name] = (value.filename, value.file.read())
            else:
                parameters[name] = value
    return parameters


def _error(error: ApiError) -> web.Response:
    body: dict[str, Any] = {
        "ok": False,
        "error_code": error.status,
        "description": error.description,
    }
    if error.retry_after_s is not None:
        body["parameters"] = {"retry_after": error.retry_after_s}
    return web.json_response(body, status=error.status)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
