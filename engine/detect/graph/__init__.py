"""The market as one graph: books, pools and bridges, what they give, and what assets are worth."""
