"""Settings of the ways in beside the phone."""

from typing import Annotated

from msgspec import Meta

from engine.settings.sections.section import Section


class GatewaySettings(Section, frozen=True, kw_only=True):
    """The HTTP API, for programs and browsers; make api-key makes the keys."""

    is_on: Annotated[
        bool,
        Meta(description="run the role gateway: it listens on loopback only, so a proxy with TLS "
             "or a tunnel stands before it where anybody else is to reach it"),
    ] = False  # fmt: skip
    port: Annotated[
        int, Meta(ge=0, le=65_535, description="port of loopback; 0 takes any that is free")
    ] = 8_645
    trusts_proxy: Annotated[
        bool,
        Meta(description="who asks is the last address of X-Forwarded-For: true only where a proxy "
             "of yours stands before it and writes that; else anybody can name any address"),
    ] = False  # fmt: skip
    hook_keep_days: Annotated[
        int,
        Meta(ge=1, le=90, extra={"unit": "days"},
             description="for so long an event of a webhook is known again; what"
             " a body tells of longer ago is not taken, as it may have been told before"),
    ] = 7  # fmt: skip
    page_url: Annotated[
        Annotated[str, Meta(pattern=r"^https://[^/\s?#@]+/[^\s?#]*$")] | None,
        Meta(
            description="address of the page as phones reach it, as https://bot.example.org/app: "
            "the menu button of your chat with the bot opens it inside Telegram",
            extra={"form": "it must be an address with TLS, as https://bot.example.org/app"},
        ),
    ] = None
    opened_s_max: Annotated[
        int,
        Meta(ge=30, le=3_600, extra={"unit": "s"},
             description="what Telegram signed longer ago opens the page to nobody"),
    ] = 300  # fmt: skip
