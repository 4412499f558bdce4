"""Settings of the people who steer it, and of the ways in which they are reached."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.settings.sections.section import Section, exact


class TelegramSettings(Section, frozen=True, kw_only=True):
    """The phone."""

    bot_token: Annotated[
        Annotated[str, Meta(pattern=r"^\d{3,20}:[A-Za-z0-9_-]{20,100}$")] | None,
        Meta(description="token that @BotFather gave you; without it the chat is the terminal"),
    ] = None  # fmt: skip
    operator_id: Annotated[
        Annotated[int, Meta(gt=0)] | None,
        Meta(description="your numeric Telegram user id: you may do everything (admin)"),
    ] = None
    people: Annotated[
        dict[str, str],
        Meta(description="who else may write to the bot, as 12345678=viewer: a viewer looks, an "
             "operator also approves, pauses, resumes, kills and tightens, an admin does all"),
    ] = msgspec.field(default_factory=dict)  # fmt: skip
    base_url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^/\s?#]+(/[^\s?#]*)?/bot$",
            description="Bot API server, for a local one; ends in /bot",
            extra={
                "form": "it must be an address up to where the token follows, and end in /bot, "
                "as https://api.telegram.org/bot"
            },
        ),
    ] = "https://api.telegram.org/bot"
    pager_token: Annotated[
        Annotated[str, Meta(pattern=r"^\d{3,20}:[A-Za-z0-9_-]{20,100}$")] | None,
        Meta(description="token of a second bot of yours, the pager: it takes only what protects, "
             "and tells what is grave when the first is stolen, refused or not heard"),
    ] = None  # fmt: skip
    webhook_url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/\s?#@]+(/[^\s?#]*)?$")] | None,
        Meta(
            description="address to which Telegram posts what you write, as "
            "https://bot.example.org/telegram, with a proxy with TLS before webhook_port; without "
            "it Telegram is polled, which needs no way in",
            extra={
                "form": "it must be an address as https://bot.example.org/telegram, with TLS "
                "unless it leads to this machine, on port 443, 80, 88 or 8443, and without a secret"
            },
        ),
    ] = None
    webhook_port: Annotated[
        int, Meta(ge=1, le=65_535, description="port of loopback for the webhook")
    ] = 8_644
    has_card: Annotated[
        bool,
        Meta(description="keep a pinned message in the chat that says how things stand"),
    ] = True
    blind_pause_s: Annotated[
        int,
        Meta(ge=120, le=604_800, extra={"unit": "s"},
             description="so long without reaching you, or hearing you, through Telegram pauses "
             "the engine; a week is as good as never"),
    ] = 600  # fmt: skip
    opportunity_usd_min: Annotated[
        Decimal,
        exact("an opportunity is told when its profit is at least this", unit="USD", at_least=0),
    ] = Decimal(1)  # fmt: skip


class AlertSettings(Section, frozen=True, kw_only=True):
    """Other ways than the chat, for what is critical and nobody acknowledged."""

    urls: Annotated[
        str | None,
        Meta(description="where a critical alert goes that nobody acknowledges for two minutes, as "
             "apprise writes it, several with a blank between (pagerduty://..., slack://..., "
             "mailtos://...); see github.com/caronc/apprise"),
    ] = None  # fmt: skip


class PingSettings(Section, frozen=True, kw_only=True):
    """A watch outside of this machine, which notices that nothing comes any more."""

    url: Annotated[
        Annotated[str, Meta(pattern=r"^https?://[^/\s?#]+/[^\s?#]*[^\s?#/]$")] | None,
        Meta(description="address of a check as healthchecks.io has them, pinged each minute while "
             "engine, ledger and chat are well; give the check 5 minutes"),
    ] = None  # fmt: skip


class OperatorSettings(Section, frozen=True, kw_only=True):
    """The person."""

    totp_secret: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Z2-7]{24,128}$")] | None,
        Meta(description="base32 secret of your authenticator, for /unkill and all that loosens; "
             "without it the latch is cleared on the host only (make unkill)"),
    ] = None  # fmt: skip
    daily_report_at: Annotated[
        str,
        Meta(pattern=r"^(off|([01][0-9]|2[0-3]):[0-5][0-9])$",
             description="UTC time, as 00:05, at which the day before is reported in the chat; off "
             "for never"),
    ] = "00:05"  # fmt: skip
    chart_theme: Annotated[
        Literal["light", "dark"], Meta(description="how pictures in the chat look")
    ] = "light"
    silence_h_max: Annotated[
        int,
        Meta(ge=1, le=8_760, extra={"unit": "h", "tightens": "down"},
             description="after so long without a sign of life from you (any command is one) it "
             "pauses, after a warning; 8760, a year, is off"),
    ] = 8_760  # fmt: skip
    loosening_delay_s: Annotated[
        Annotated[int, Meta(ge=0, le=86_400)] | None,
        Meta(description="the largest loosenings (a mode beyond paper, a money limit more than "
             "doubled) wait so long, and /cancel stops them meanwhile; else 600 on live markets "
             "and 0 in the sandbox", extra={"unit": "s"}),
    ] = None  # fmt: skip
    time_zone: Annotated[
        str,
        Meta(min_length=1, description="IANA name of the zone in which the chat and its charts "
             "show times, as Europe/Berlin; exports stay in UTC"),
    ] = "UTC"  # fmt: skip


class ApprovalsSettings(Section, frozen=True, kw_only=True):
    """How trades are asked for in mode approve."""

    wait_s: Annotated[
        int, Meta(ge=5, le=3_600, extra={"unit": "s"}, description="how long a plan waits")
    ] = 60
    blind_s: Annotated[
        int,
        Meta(ge=45, le=3_600, extra={"unit": "s"},
             description="so long without a chat that can hear and tell you, and nothing is "
             "asked: what waits is void, mandates are held"),
    ] = 60  # fmt: skip
    usd_min: Annotated[
        Decimal,
        exact("least expected profit that is asked for", unit="USD", at_least=0),
    ] = Decimal(0)
    two_operators_usd: Annotated[
        Decimal,
        exact(
            "from this notional on two people have to approve a plan; 0 is never",
            unit="USD",
            at_least=0,
        ),
    ] = Decimal(0)
