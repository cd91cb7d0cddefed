"""The ledger: one row a recipient, written before and after each send. Synchronous, used from one thread."""
