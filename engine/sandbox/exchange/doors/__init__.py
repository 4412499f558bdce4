"""The venues' own words for an account and its orders: requests read and verified, answers made."""
