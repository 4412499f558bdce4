"""DEXs by chain: a row for each deployment, a file for each chain."""
