"""Orders at exchanges from the moment they are signed to their proven end (role `trader`)."""
