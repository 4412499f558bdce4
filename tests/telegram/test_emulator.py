"""The emulator behaves as the Bot API documents it, so that tests against it mean something."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from tests.telegram.emulator import OPERATOR_ID, TelegramEmulator
from tests.telegram.faults import Fault, Kind
from tests.telegram.markup import MarkupError, Span, parse_html
from tests.telegram.picture import HEIGHT, SCALE, WIDTH, Phone

PNG = b"\x89PNG\r\n\x1a\n"


class Client:
    """Speaks to the emulator without any library of bots."""

    def __init__(self, emulator: TelegramEmulator, session: aiohttp.ClientSession) -> None:
        self._emulator = emulator
        self._session = session

    async def call(self, method: str, **parameters: Any) -> Any:
        form = aiohttp.FormData()
        for name, value in parameters.items():
            if isinstance(value, bytes):
                form.add_field(name, value, filename=f"{name}.bin")
            else:
                form.add_field(name, str(value))
        url = f"{self._emulator.base_url}{self._emulator.token}/{method}"
        async with self._session.post(url, data=form if parameters else None) as reply:
            body = await reply.json()
        assert body["ok"] is (reply.status == 200)
        return body["result"] if body["ok"] else body

    async def says(self, text: str, **parameters: Any) -> Any:
        return await self.call("sendMessage", chat_id=OPERATOR_ID, text=text, **parameters)


@pytest.fixture
async def emulator() -> AsyncIterator[TelegramEmulator]:
    async with TelegramEmulator().serve() as served:
        yield served


@pytest.fixture
async def client(emulator: TelegramEmulator) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(emulator, session)


async def test_updates_are_delivered_again_until_their_offset_is_passed(
    emulator: TelegramEmulator, client: Client
) -> None:
    first, second = emulator.person_writes("a"), emulator.person_writes("b")

    for _ in range(2):
        updates = await client.call("getUpdates")
        assert [update["update_id"] for update in updates] == [first, second]
    assert len(await client.call("getUpdates", limit=1)) == 1
    assert [u["update_id"] for u in await client.call("getUpdates", offset=second)] == [second]
    assert await client.call("getUpdates", offset=second + 1) == []


async def test_a_long_poll_ends_with_the_first_update(
    emulator: TelegramEmulator, client: Client
) -> None:
    poll = asyncio.create_task(client.call("getUpdates", timeout=20))
    await emulator.wait_until(lambda: len(emulator.calls) == 1)
    emulator.person_writes("a")

    assert [update["message"]["text"] for update in await poll] == ["a"]


async def test_allowed_updates_filter_and_are_remembered(
    emulator: TelegramEmulator, client: Client
) -> None:
    emulator.person_writes("a", kind="edited_message")
    emulator.person_writes("b")

    updates = await client.call("getUpdates", allowed_updates='["message"]')
    assert [u["message"]["text"] for u in updates] == ["b"]
    assert len(await client.call("getUpdates")) == 1


async def test_a_second_poller_ends_the_first_with_409(
    emulator: TelegramEmulator, client: Client
) -> None:
    first = asyncio.create_task(client.call("getUpdates", timeout=20))
    await emulator.wait_until(lambda: len(emulator.calls) == 1)
    assert await client.call("getUpdates") == []

    assert (await first)["error_code"] == 409


async def test_duplicates_are_delivered_after_their_confirmation(
    emulator: TelegramEmulator, client: Client
) -> None:
    number = emulator.person_writes("a")
    emulator.duplicate_next()

    updates = await client.call("getUpdates", offset=number + 1)
    assert [update["update_id"] for update in updates] == [number]
    assert await client.call("getUpdates", offset=number + 1) == []


@pytest.mark.parametrize(
    ("text", "more", "description"),
    [
        ("", {}, "message text is empty"),
        ("x" * 4097, {}, "message is too long"),
        ("\U0001d54f" * 2049, {}, "message is too long"),
        ("<b>x", {"parse_mode": "HTML"}, "Can't find end tag"),
        ("<q>x</q>", {"parse_mode": "HTML"}, "Unsupported start tag"),
        ("a < b", {"parse_mode": "HTML"}, "Unclosed start tag"),
        ("x", {"reply_markup": '{"inline_keyboard":[[{"text":"a","callback_data":""}]]}'}, "DATA"),
    ],
)
async def test_bad_messages_are_refused(
    emulator: TelegramEmulator, client: Client, text: str, more: dict[str, str], description: str
) -> None:
    emulator.person_writes("hello")

    answer = await client.says(text, **more)
    assert answer["error_code"] == 400
    assert description in answer["description"]
    assert emulator.transcript() == []


async def test_a_bot_cannot_write_first(client: Client) -> None:
    assert "chat not found" in (await client.says("hello"))["description"]


async def test_edits_pins_and_taps(emulator: TelegramEmulator, client: Client) -> None:
    emulator.person_writes("hello")
    keyboard = '{"inline_keyboard":[[{"text":"Go","callback_data":"x"}]]}'
    sent = await client.says("first", reply_markup=keyboard)
    place = {"chat_id": OPERATOR_ID, "message_id": sent["message_id"]}
    emulator.person_taps("Go")

    update = (await client.call("getUpdates"))[-1]["callback_query"]
    assert update["data"] == "x"
    assert await client.call("answerCallbackQuery", callback_query_id=update["id"]) is True
    again = await client.call("answerCallbackQuery", callback_query_id=update["id"])
    assert "query is too old" in again["description"]
    assert await client.call("pinChatMessage", **place) is True
    edited = await client.call("editMessageText", text="second", **place)
    assert "reply_markup" not in edited
    same = await client.call("editMessageText", text="second", **place)
    assert "message is not modified" in same["description"]
    restored = await client.call("editMessageReplyMarkup", reply_markup=keyboard, **place)
    assert restored["reply_markup"]
    entry = emulator.chats.from_bot()[0]
    assert (entry.text, entry.edits, entry.is_pinned) == ("second", 1, True)
    place["message_id"] = 999
    missing = await client.call("editMessageText", text="x", **place)
    assert "message to edit not found" in missing["description"]


async def test_pictures_and_documents_are_kept_as_bytes(
    emulator: TelegramEmulator, client: Client
) -> None:
    emulator.person_writes("hello")
    await client.call("sendPhoto", chat_id=OPERATOR_ID, photo=PNG + b"x", caption="c")
    await client.call("sendDocument", chat_id=OPERATOR_ID, document=b"a,b")
    too_long = await client.call("sendPhoto", chat_id=OPERATOR_ID, photo=PNG, caption="c" * 1025)

    photo, document = emulator.chats.from_bot()
    assert photo.photo == PNG + b"x"
    assert document.document == ("document.bin", b"a,b")
    assert "caption is too long" in too_long["description"]


async def test_the_chats_limit_and_scripted_faults(
    emulator: TelegramEmulator, client: Client
) -> None:
    emulator.person_writes("hello")
    emulator.chat_limit = (1, 60)
    emulator.script("getMe", Fault(Kind.SERVER_ERROR, status=503), Fault(Kind.LOST_REPLY))

    assert (await client.says("one"))["text"] == "one"
    assert (await client.says("two"))["parameters"]["retry_after"] == 1
    assert (await client.call("getMe"))["error_code"] == 503
    with pytest.raises(aiohttp.ClientError):
        await client.call("getMe")
    assert (await client.call("getMe"))["is_bot"] is True


async def test_a_lost_reply_has_had_its_effect(emulator: TelegramEmulator, client: Client) -> None:
    emulator.person_writes("hello")
    emulator.script("sendMessage", Fault(Kind.LOST_REPLY), Fault(Kind.CUT))

    for text in ("kept", "lost"):
        with pytest.raises(aiohttp.ClientError):
            await client.says(text)
    assert emulator.transcript() == ["kept"]


async def test_a_hang_ends_with_the_emulator(emulator: TelegramEmulator, client: Client) -> None:
    emulator.script("getMe", Fault(Kind.HANG))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.call("getMe")


async def test_a_webhook_gets_updates_with_its_secret_until_it_takes_them(
    emulator: TelegramEmulator, client: Client
) -> None:
    taken: list[tuple[str | None, str]] = []

    async def receive(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        taken.append((secret, (await request.json())["message"]["text"]))
        return web.Response(status=200 if len(taken) > 1 else 503)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await client.call("setWebhook", url=url, secret_token="s-1")
    emulator.person_writes("a")
    assert (await client.call("getUpdates"))["error_code"] == 409
    await emulator.wait_until(lambda: emulator.unconfirmed() == [])
    await client.call("deleteWebhook")
    await runner.cleanup()

    assert taken == [("s-1", "a"), ("s-1", "a")]
    assert await client.call("getUpdates") == []


async def test_a_wrong_token_gets_401(emulator: TelegramEmulator) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{emulator.base_url}1:wrong/getMe") as reply,
    ):
        assert reply.status == 401


def test_markup_gives_text_and_spans_in_utf16_units() -> None:
    assert parse_html("\U0001d54f<b>a&lt;b</b>&amp;&copy;") == (
        "\U0001d54fa<b&&copy;",
        [Span("b", 2, 3)],
    )
    assert parse_html("<pre>x</pre>") == ("x", [Span("pre", 0, 1)])


@pytest.mark.parametrize("text", ["<b><i>x</b></i>", "</b>", "<b", "<b>x</i>", "<1>"])
def test_markup_that_telegram_refuses_is_refused(text: str) -> None:
    with pytest.raises(MarkupError):
        parse_html(text)


async def test_a_recorded_chat_makes_a_phone_screen(
    emulator: TelegramEmulator, client: Client
) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (108, 135), "#00ff00").save(picture, "PNG")
    emulator.person_writes("/pnl")
    keyboard = '{"inline_keyboard":[[{"text":"Go","callback_data":"x","style":"danger"}]]}'
    await client.call(
        "sendPhoto",
        chat_id=OPERATOR_ID,
        photo=picture.getvalue(),
        caption="<b>PnL</b>\n<pre>a b</pre>",
        parse_mode="HTML",
        reply_markup=keyboard,
    )

    screen = Phone(emulator.record()).picture()

    assert screen.size == (WIDTH * SCALE, HEIGHT * SCALE)
    colors = {color for _, color in screen.getcolors(1 << 22) or []}
    assert (0, 255, 0) in colors, "the picture is on the screen"
    assert (0xC0, 0x39, 0x2B) in colors, "the red button is on the screen"


async def test_a_webhook_needs_tls_and_tells_what_could_not_be_posted(
    emulator: TelegramEmulator, client: Client
) -> None:
    assert (await client.call("setWebhook", url="http://example.org/"))["error_code"] == 400
    assert (await client.call("setWebhook", url="https://a.example/", secret_token="a b"))[
        "error_code"
    ] == 400
    assert await client.call("setWebhook", url="http://127.0.0.1:9/hook") is True
    emulator.person_writes("a")
    info: dict[str, Any] = {}
    while "last_error_message" not in info:
        info = await client.call("getWebhookInfo")

    assert (info["url"], info["pending_update_count"]) == ("http://127.0.0.1:9/hook", 1)
    assert await client.call("deleteWebhook") is True
    assert [update["message"]["text"] for update in await client.call("getUpdates")] == ["a"]


async def test_two_bots_at_one_address_have_tokens_and_chats_of_their_own(
    emulator: TelegramEmulator, client: Client
) -> None:
    token = "888000222:AAP-emulated_token_of_thirtyfive_ch"
    other = emulator.with_bot(token)
    other.person_writes("to the second")
    emulator.person_writes("to the first")
    first = await client.call("getUpdates")
    emulator.token = token  # by which the client calls
    updates, me = await client.call("getUpdates"), await client.call("getMe")

    assert [update["message"]["text"] for update in first] == ["to the first"]
    assert [update["message"]["text"] for update in updates] == ["to the second"]
    assert me["id"] == 888000222
