"""News of roles that ended for good, as they reach a chat without the ledger."""

import asyncio

from engine.facade.news import RoleEnded

News = asyncio.Queue[RoleEnded]
