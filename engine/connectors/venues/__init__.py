"""One folder per venue: its dialect, its feeds, and in `spec.py` what the list says of it."""
