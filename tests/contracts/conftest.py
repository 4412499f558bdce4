"""The worlds of `tests/chains`, for tests of the contract on them."""

from tests.chains.conftest import new_world, world

__all__ = ["new_world", "world"]
