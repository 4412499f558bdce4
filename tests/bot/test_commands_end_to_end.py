from tests.bot.conftest import Chat


async def test_status_is_answered(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/status")
    print(text)
    assert "Observe" in text
