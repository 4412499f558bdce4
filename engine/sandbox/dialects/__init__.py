"""One dialect per venue: the venue's wire format, its sequence numbers and its REST answers."""
