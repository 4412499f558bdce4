"""Pools that move with the blocks of their chains: their moves, undone blocks, and their health."""
