"""Addresses of providers, which hold keys: how the setting writes them, and names without keys.

`ethereum=https://one.example/v2/KEY|wss://one.example/v2/KEY|https://two.example/KEY;base=…`
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a provider is reached with one key.

    Attributes:
        name: host and a number, for people.
        http_url, socket_url: one of them at least.
    """

    name: str
    http_url: str | None = field(default=None, repr=False)
    socket_url: str | None = field(default=None, repr=False)
