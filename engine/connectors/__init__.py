"""One folder per venue: its wire dialect ends at the folder's edge."""
