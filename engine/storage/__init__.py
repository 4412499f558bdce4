"""Tables, repositories and the ledger's writer."""
