"""Follows a chain's blocks: whole, in order, each once, whatever the nodes do.

What is trusted, and why:

- A block is its hash. Whatever is asked of a block is asked by its hash, and an answer that names
  another block is none.
- A head is only a hint that there is something to fetch. A block is taken when it stands, by the
  hashes of its parents, on one that was taken; what moves a chain to a lower or distant block is
  asked of the node first.
- Events are fetched block by block. They have to fit the bloom filter that the block's header
  carries, each of them, and an empty answer has to fit it too.
- A pool is live from a state that was read at a block by its hash, and the events of all blocks
  after it. It is read again from time to time, and compared.
- What is in doubt is stale, at once, for itself alone: a read holds up no block.
"""
