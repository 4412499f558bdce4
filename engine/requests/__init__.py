"""What can be asked of engine and ledger: for each request its reply, and how it is answered."""
