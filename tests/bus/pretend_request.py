"""A request that is no part of the product: all that one takes stands here."""

from typing import TYPE_CHECKING

import msgspec

from engine.bus.request import EngineRequest

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class BooksReport(msgspec.Struct, frozen=True, kw_only=True):
    books: int


class GetBooks(EngineRequest[BooksReport], frozen=True, kw_only=True):
    venue: str

    async def answer(self, engine: "EngineAnswers", /) -> BooksReport:
        books = engine.core.board.instruments
        return BooksReport(books=sum(one.venue == self.venue for one in books))
