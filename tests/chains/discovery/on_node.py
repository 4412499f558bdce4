"""A node of the local world, asked as the product asks one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from engine.chains.ports import BlockRef, Node, Reader
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound


class OnNode(NamedTuple):
    node: Node
    reader: Reader

    async def head(self) -> BlockRef:
        return parse_block(await self.node.request("eth_getBlockByNumber", "latest", False))


@asynccontextmanager
async def on_node(url: str) -> AsyncIterator[OnNode]:
    async with (
        open_outbound(None) as way,
        open_pool([Access(name="one", http_url=url)], way) as node,
    ):
        yield OnNode(node, ChainReader(node))
