"""Makes of pools: how they tell their moves and how they are read, one file each."""
