"""The board: the current picture of all order books, and how fresh each is."""
