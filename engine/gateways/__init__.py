"""The private half of venues, as pure functions: calls that are made, answers that are read."""
