"""Several people: each sees and does what their rank may, and what one does counts for all."""

import asyncio
from dataclasses import replace

import pytest

from bot.command import Kind
from bot.command_table import COMMANDS
from bot.dispatch import Invocation, read_line
from bot.ranks import RANK_OF_KIND
from bot.telegram import introduction
from engine.bus.command import Command
from engine.domain.people import Rank
from engine.requests.limits import SetLimit
from engine.requests.places import SwitchOn
from engine.requests.presence import SignOfLife
from engine.requests.safety import Kill, Pause, Resume, SetMode, Unkill
from tests.bot import samples
from tests.bot.conftest import Chat
from tests.bot.fake_facade import CODE
from tests.bot.people import COLLEAGUE, GUEST, OWNER
from tests.bot.test_commands_end_to_end import EXAMPLES
from tests.telegram.chats import Entry
from tests.telegram.emulator import BOT_ID

STRANGER_ID = 999


@pytest.fixture
def chats(chat: Chat) -> Chat:
    return replace(chat, settings=replace(chat.settings, telegram_people=(OWNER, COLLEAGUE, GUEST)))


def told(chats: Chat, person_id: int) -> list[str]:
    return [one.text for one in from_bot(chats, person_id)]


def from_bot(chats: Chat, person_id: int) -> list[Entry]:
    return [one for one in chats.emulator.chats.from_bot() if one.chat_id == person_id]


async def say(chats: Chat, person_id: int, text: str) -> str:
    before = len(told(chats, person_id))
    chats.emulator.person_writes(text, person_id=person_id)
    await chats.emulator.wait_until(lambda: len(told(chats, person_id)) > before)
    return told(chats, person_id)[-1]


def acts(chats: Chat) -> list[Command]:  # type: ignore[type-arg]
    return [one for one in chats.facade.asked if isinstance(one, Command)]


ABOVE_A_GUEST = [
    entry.name
    for entry in COMMANDS
    if isinstance(asked := read_line(EXAMPLES[entry.name][0]), Invocation)
    and asked.kind is not Kind.READ
]


async def test_a_guest_reads_and_whatever_acts_is_refused_and_reaches_no_engine(
    chats: Chat,
) -> None:
    async with chats.start():
        for entry in COMMANDS:
            answer = await say(chats, GUEST.user_id, EXAMPLES[entry.name][0])

            is_refused = "takes the rank operator" in answer
            assert is_refused == (entry.name in ABOVE_A_GUEST), (entry.name, answer)

    assert acts(chats) == []
    assert len(ABOVE_A_GUEST) >= 20


@pytest.mark.parametrize("line", ["/kill", "KILL", "kill now", "/k"])
async def test_a_guests_kill_sets_nothing_and_voids_no_second_step(chats: Chat, line: str) -> None:
    async with chats.start():
        await say(chats, OWNER.user_id, "/resume")
        assert "takes the rank operator" in await say(chats, GUEST.user_id, line)

        await chats.tap("Resume")
        await chats.wait_until(lambda: "resume" in chats.facade.effects)

    assert [type(one) for one in acts(chats)] == [Resume]


async def test_a_guests_tap_on_a_button_that_acts_is_refused(chats: Chat) -> None:
    async with chats.start():
        await say(chats, GUEST.user_id, "/status")
        entry = from_bot(chats, GUEST.user_id)[-1]
        before = len(told(chats, GUEST.user_id))
        for payload in ("m:/kill", "m:/pause", "s:1:/pause"):
            chats.emulator.tap_raw(entry, payload, person_id=GUEST.user_id)
        await chats.emulator.wait_until(lambda: len(told(chats, GUEST.user_id)) >= before + 3)

    assert all("takes the rank" in one for one in told(chats, GUEST.user_id)[before:])
    assert acts(chats) == []


async def test_a_screen_has_no_buttons_that_its_person_may_not_press(chats: Chat) -> None:
    async with chats.start():
        await say(chats, GUEST.user_id, "/status")
        await say(chats, COLLEAGUE.user_id, "/status")

    def labels(person_id: int) -> set[str]:
        rows = from_bot(chats, person_id)[-1].buttons
        return {button["text"] for row in rows for button in row}

    assert "KILL" in labels(COLLEAGUE.user_id)
    assert labels(GUEST.user_id) == labels(COLLEAGUE.user_id) - {"KILL", "Paper…"}


@pytest.mark.parametrize("has_authenticator", [False, True])
async def test_an_operator_kills_and_pauses_and_resumes_and_lets_nothing_more_through(
    chats: Chat,
    has_authenticator: bool,  # noqa: FBT001
) -> None:
    chats.facade.has_authenticator = has_authenticator
    async with chats.start():
        for line in (
            "/mode paper",
            f"/mode approve {CODE}",
            "/limit position_usd 99999",
            f"/limit position_usd 99999 {CODE}",
            "/venue gemini on",
            f"/venue gemini on {CODE}",
            f"/unkill {CODE}",
        ):
            answer = await say(chats, COLLEAGUE.user_id, line)
            assert "takes the rank admin" in answer, (line, answer)
            assert not from_bot(chats, COLLEAGUE.user_id)[-1].buttons
        assert not any(isinstance(one, Unkill) for one in acts(chats))
        assert not any(
            one.is_confirmed or one.code
            for one in acts(chats)
            if isinstance(one, (SetMode, SetLimit, SwitchOn))
        )
        assert chats.facade.effects == []

        await say(chats, COLLEAGUE.user_id, "/limit position_usd 250")
        await say(chats, COLLEAGUE.user_id, "/pause")
        await say(chats, COLLEAGUE.user_id, "/kill")

    assert chats.facade.effects[:2] == ["limit position_usd 250", "pause"]
    assert [one.envelope.by for one in acts(chats) if isinstance(one, Kill) and one.envelope] == [
        COLLEAGUE.name
    ]


async def test_a_kill_of_one_voids_the_second_step_of_another(chats: Chat) -> None:
    async with chats.start():
        await say(chats, OWNER.user_id, "/resume")
        await say(chats, COLLEAGUE.user_id, "/kill")

        await chats.tap("Resume")

    assert "Nothing was done" in chats.emulator.tap_answers[-1]["text"]
    assert not any(isinstance(one, Resume) for one in acts(chats))


async def test_a_second_step_is_only_for_whom_it_was_offered_to(chats: Chat) -> None:
    async with chats.start():
        await say(chats, OWNER.user_id, "/resume")
        (payload,) = (
            button["callback_data"]
            for row in from_bot(chats, OWNER.user_id)[-1].buttons
            for button in row
            if button["text"] == "Resume"
        )
        for person in (COLLEAGUE, GUEST):
            await say(chats, person.user_id, "/status")
            chats.emulator.tap_raw(
                from_bot(chats, person.user_id)[-1], payload, person_id=person.user_id
            )
        await chats.emulator.wait_until(lambda: len(chats.emulator.tap_answers) == 2)
        assert acts(chats) == []

        await chats.tap("Resume")
        await chats.wait_until(lambda: "resume" in chats.facade.effects)


async def test_kills_of_two_people_in_one_batch_are_both_carried_out_and_answered(
    chats: Chat,
) -> None:
    async with chats.start():
        await say(chats, OWNER.user_id, "/status")
        before = {p: len(told(chats, p)) for p in (OWNER.user_id, COLLEAGUE.user_id)}
        for person_id in before:
            chats.emulator.person_writes("/kill", person_id=person_id)
        for person_id, count in before.items():
            await chats.emulator.wait_until(
                lambda p=person_id, n=count: len(told(chats, p)) > n  # type: ignore[misc]
            )

    kills = [one for one in acts(chats) if isinstance(one, Kill)]
    assert {one.envelope.by for one in kills if one.envelope} == {OWNER.name, COLLEAGUE.name}


async def test_news_come_to_those_who_can_act_and_a_new_person_is_spared_the_old(
    chats: Chat,
) -> None:
    chats.facade.tell(samples.seen())
    async with chats.start():
        await say(chats, OWNER.user_id, "/version")
        await chats.emulator.wait_until(lambda: len(told(chats, OWNER.user_id)) == 2)
        await say(chats, COLLEAGUE.user_id, "/version")
        await chats.wait_until(lambda: f"telegram-{COLLEAGUE.user_id}" in chats.facade.delivered)
        chats.facade.tell(samples.seen(number=13))
        await chats.emulator.wait_until(lambda: len(told(chats, COLLEAGUE.user_id)) == 2)
        await say(chats, GUEST.user_id, "/version")

        await chats.emulator.wait_until(lambda: len(told(chats, OWNER.user_id)) == 3)

    assert "r7-12" in "".join(told(chats, OWNER.user_id))
    assert "r7-12" not in "".join(told(chats, COLLEAGUE.user_id))
    assert len(told(chats, GUEST.user_id)) == 1


async def test_each_menu_has_what_its_person_may_do_once_telegram_knows_them(
    chats: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introduction, "UNKNOWN_RETRY_S", 0.02)
    async with chats.start():
        await say(chats, GUEST.user_id, "/status")
        await say(chats, COLLEAGUE.user_id, "/status")
        await chats.emulator.wait_until(lambda: len(chats.emulator.menus) == 2)

    reads = {one.name for one in COMMANDS if RANK_OF_KIND[one.kind] is Rank.VIEWER}
    assert {one["command"] for one in chats.emulator.menus[GUEST.user_id]} == reads
    assert len(chats.emulator.menus[COLLEAGUE.user_id]) == len(COMMANDS)


@pytest.mark.parametrize(
    ("url", "button"),
    [
        ("https://bot.example.org/app", ("web_app", {"url": "https://bot.example.org/app"})),
        (None, ("default", None)),
    ],
)
async def test_the_button_beside_a_chat_opens_the_page_for_its_people_alone(
    chats: Chat, monkeypatch: pytest.MonkeyPatch, url: str | None, button: tuple[str, object]
) -> None:
    monkeypatch.setattr(introduction, "UNKNOWN_RETRY_S", 0.02)
    async with chats.start_with(page_url=url):
        await say(chats, GUEST.user_id, "/status")
        await chats.emulator.wait_until(lambda: GUEST.user_id in chats.emulator.menu_buttons)

    set_to = chats.emulator.menu_buttons[GUEST.user_id]
    assert (set_to["type"], set_to.get("web_app")) == button
    assert chats.emulator.menu_button == {"type": "commands"}


async def test_only_who_can_act_gives_a_sign_of_life(chats: Chat) -> None:
    def signs() -> int:
        return sum(isinstance(one, SignOfLife) for one in chats.facade.asked)

    async with chats.start():
        await say(chats, GUEST.user_id, "/status")
        assert signs() == 0

        await say(chats, COLLEAGUE.user_id, "/status")
        await chats.wait_until(lambda: signs() == 1)


async def test_strangers_get_silence_and_nobody_writes_in_anothers_name(chats: Chat) -> None:
    forged = chats.emulator.chats.add(
        chat_id=STRANGER_ID, author_id=BOT_ID, is_bot=True, text="forged"
    )
    async with chats.start():
        chats.emulator.person_writes("/kill", person_id=STRANGER_ID)
        chats.emulator.tap_raw(forged, "m:/kill", person_id=STRANGER_ID)
        # In the chat of somebody else, which Telegram would never say of a private one.
        chats.emulator.person_writes("/kill", person_id=COLLEAGUE.user_id, chat_id=OWNER.user_id)
        await say(chats, OWNER.user_id, "/status")

    assert told(chats, STRANGER_ID) == ["forged"]
    assert chats.emulator.tap_answers == []
    assert acts(chats) == []


async def test_a_person_who_blocked_the_bot_keeps_no_one_elses_news(chats: Chat) -> None:
    chats.emulator.block(OWNER.user_id)
    async with chats.start():
        chats.facade.tell(samples.seen(number=13))
        await say(chats, COLLEAGUE.user_id, "/pause")
        async with asyncio.timeout(10):
            while not any(isinstance(one, Pause) for one in acts(chats)):
                await asyncio.sleep(0.01)
        chats.facade.tell(samples.seen(number=13))
        await chats.emulator.wait_until(lambda: len(told(chats, COLLEAGUE.user_id)) >= 2)

    assert told(chats, OWNER.user_id) == []
