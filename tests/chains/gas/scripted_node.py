"""A node that answers what it is told to, to see what its reader believes."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from engine.chains.ports import Json, NodeError, Topic

Answer = Json | NodeError


class ScriptedNode:
    """Obeys `ports.Node`; `answer` is asked for each question, whatever batch it comes in.

    Attributes:
        asked: all questions so far.
    """

    def __init__(self, answer: Callable[[str, Sequence[Json]], Answer]) -> None:
        self.asked: list[tuple[str, Sequence[Json]]] = []
        self.answer = answer

    async def request(self, method: str, *params: Json) -> Json:
        """See `Node.request`."""
        (answer,) = await self.batch([(method, params)])
        if isinstance(answer, NodeError):
            raise answer
        return answer

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Answer]:
        """See `Node.batch`."""
        self.asked += asked
        return [self.answer(method, params) for method, params in asked]

    def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        """Nobody asks for that here."""
        raise NotImplementedError
