"""The private half of the sandbox's venues: an account, orders in the books, what it cost."""
