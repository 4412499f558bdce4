"""What blocks of a chain were, kept in a bounded ring for background work to learn from."""
