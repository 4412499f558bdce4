"""A relay of a local chain: sealed bids for its next block, and rivals who bid too."""
