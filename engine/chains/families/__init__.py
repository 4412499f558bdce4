"""Makes of pools: how each tells its moves in events, and how it is read at a block."""
