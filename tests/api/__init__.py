"""The HTTP API of a whole installation: fuzzed from its own description, and under load."""
