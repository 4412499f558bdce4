"""The one list of providers; adding one is a file and a line here."""

from collections.abc import Mapping
from typing import Final

from bot.web.hooks.alchemy import Alchemy
from bot.web.hooks.moralis import Moralis
from bot.web.hooks.provider import Provider
from bot.web.hooks.quicknode import QuickNode

_ALL: Final[tuple[Provider, ...]] = (Moralis(), Alchemy(), QuickNode())

PROVIDERS: Final[Mapping[str, Provider]] = {one.name: one for one in _ALL}
