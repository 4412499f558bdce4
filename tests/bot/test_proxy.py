"""The chat through a proxy, and beside what the environment says of proxies."""

import pytest

from tests.bot.conftest import Chat
from tests.connectors.proxies import ProxyServer


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_the_chat_goes_through_the_proxy_which_resolves_its_name(
    chat: Chat, scheme: str
) -> None:
    here = chat.emulator.base_url
    port = int(here.split(":")[2].partition("/")[0])
    far = here.replace("127.0.0.1", "telegram.test")
    async with (
        ProxyServer(scheme, {"telegram.test": port}).serve() as proxy,
        chat.start_with(telegram_base_url=far, telegram_proxy=proxy.url),
    ):
        text = await chat.say("/version")

    assert "Syndicate" in text
    assert set(proxy.asked) == {"telegram.test"}


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"])
async def test_what_the_environment_says_of_proxies_is_for_others(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "socks9://127.0.0.1:1")

    async with chat.start():
        assert "Syndicate" in await chat.say("/version")
