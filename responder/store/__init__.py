"""The store: plain functions that take a Connection first and never commit; the shell owns the transaction."""
