"""Find routes on the board whose edge is positive after costs."""
