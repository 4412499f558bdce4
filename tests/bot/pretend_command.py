"""A chat command that is no part of the product: all that one takes stands here."""

from bot.answer import Answer
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.screen import Screen
from tests.bus.pretend_request import GetBooks


async def books(call: Call) -> Answer:
    report = await call.ask(GetBooks(venue=call.arguments.text("venue") or ""))
    return Answer(screen=Screen(title=f"Books: {report.books}"))


BOOKS = CommandEntry(
    name="books",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="how many books a venue has",
    long_help=("Shows how many books of a venue there are.",),
    handler=books,
    grammar=(Argument(name="venue", form=Form.WORD, is_required=True),),
)
