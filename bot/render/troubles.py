"""Screens that say that something was not done, or is not known to be for good."""

from bot.render import words
from bot.render.screen import Mark, Screen, Text
from engine.domain.people import Rank

_SENTENCE_LIMIT = 300

WITHOUT_ROLE = {
    "engine": "No plan is made.",
    "ledger": "No plan is made, and nothing that lets the engine do more is accepted.",
    "sandbox": "There are no prices.",
}
"""What it means for trading that a role is not there."""


def render_misread(why: str, *, suggestion: str | None) -> Screen:
    """Say why a line was refused, and what may have been meant."""
    blocks = [Text("Nothing was done.")]
    blocks.append(Text(f"Did you mean {suggestion} ?" if suggestion else "/help shows what I know"))
    return Screen(title=why, mark=Mark.WARN, blocks=tuple(blocks))


def render_away(why: str, *, line: str, may_be_done: bool) -> Screen:
    """Say that the role that would answer is away; it may have done what was asked all the same."""
    asked = f"Asked: {line}"
    if may_be_done:
        asked += ". Whether it was done is not known: look, and send it again if it was not."
    texts = (why[:_SENTENCE_LIMIT], asked, "/kill works all the same.")
    return Screen(title="No answer", mark=Mark.WARN, blocks=tuple(map(Text, texts)))


def render_unstored(why: str, *, line: str) -> Screen:
    """Say that something was done which the ledger does not have yet."""
    return Screen(
        title=f"Done, not stored: {line}",
        mark=Mark.WARN,
        blocks=(
            Text(why[:_SENTENCE_LIMIT]),
            Text("It holds, and is stored once the ledger is back."),
            Text("If the engine ends before that, it begins again without it."),
        ),
    )


def render_not_permitted(line: str, *, needed: Rank) -> Screen:
    """Say that a person's rank does not reach for what was asked."""
    return Screen(
        title=f"Not done: {line}",
        mark=Mark.WARN,
        blocks=(Text(f"This takes the rank {needed} here, and yours is a lower one."),),
    )


def render_ledger_away(*, line: str) -> Screen:
    """Say that a command was refused because it cannot be recorded."""
    return Screen(
        title="Not done: the ledger is away",
        mark=Mark.WARN,
        blocks=(
            Text(f"Left: {line}"),
            Text(
                "Nothing that lets the engine do more is accepted until it is back."
                " What lets it do less is, and /kill works."
            ),
        ),
    )


def render_stale(*, line: str, age_s: int, age_s_max: int) -> Screen:
    """Say that a command came too late to be carried out."""
    text = (
        f"It was sent {age_s} s ago; commands that change something count for {age_s_max} s."
        if age_s >= 0
        else f"It is dated {-age_s} s ahead of this machine's clock; set the clock."
    )
    return Screen(title=f"Not done: {line}", mark=Mark.WARN, blocks=(Text(text),))


def render_voided(line: str) -> Screen:
    """Say that a kill overtook a command."""
    return Screen(
        title=f"Not done: {line}",
        mark=Mark.WARN,
        blocks=(Text("A kill came after it. Send it again if you still want it."),),
    )


def render_gap(lasted_s: float, *, is_paused: bool) -> Screen:
    """Tell, once the operator is reached again, how long that was not so."""
    after = (
        "It was paused meanwhile: /resume goes on." if is_paused else "Nothing was paused for it."
    )
    return Screen(
        title=f"You could not be reached for {words.duration(lasted_s)}",
        mark=Mark.WARN,
        blocks=(Text(after), Text("/status shows what is so now.")),
    )


def render_conflict() -> Screen:
    """Warn that somebody else holds the bot's token."""
    return Screen(
        title="Another program uses this bot's token",
        mark=Mark.BAD,
        blocks=(
            Text("Only /kill, /pause and /mode observe are accepted until it is gone."),
            Text("If it is not yours: revoke the token at @BotFather and start with the new one."),
        ),
    )


def render_webhook_trouble(why: str) -> Screen:
    """Say that Telegram's posts do not arrive."""
    return Screen(
        title="The webhook does not work",
        mark=Mark.WARN,
        blocks=(
            Text(why[:_SENTENCE_LIMIT]),
            Text("Telegram is polled meanwhile, so that nothing is lost; it is tried again."),
        ),
    )


def render_conflict_refusal(line: str) -> Screen:
    """Say that a command was refused because of the conflict."""
    return Screen(
        title=f"Not done: {line}",
        mark=Mark.WARN,
        blocks=(Text("Another program uses this bot's token. /kill and /pause work."),),
    )


def render_busy(line: str) -> Screen:
    """Say that too many commands are under way."""
    return Screen(
        title=f"Not done: {line}",
        mark=Mark.WARN,
        blocks=(Text("Too many commands are waiting. /kill works."),),
    )


def render_failed(line: str) -> Screen:
    """Say that a handler failed in a way that nobody foresaw."""
    return Screen(
        title=f"Failed: {line}",
        mark=Mark.BAD,
        blocks=(Text("This is a fault of the bot; its log has the reason. /kill works."),),
    )


def render_not_text() -> Screen:
    """Say that only text is read."""
    return Screen(
        title="I read only text", mark=Mark.WARN, blocks=(Text("/help shows what I know"),)
    )


def render_answers_dropped(number: int) -> Screen:
    """Say how many answers could not be kept while the chat was away."""
    return Screen(
        title=f"Answers dropped: {number}",
        mark=Mark.WARN,
        blocks=(Text("The chat was away for long. Their commands were carried out."),),
    )


def render_left(action: str) -> Screen:
    """Say that a second step was declined."""
    return Screen(title=f"Left as it is: {action}", blocks=(Text("Nothing was done."),))
