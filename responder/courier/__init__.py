"""The outbox to the next hop: what is queued is attempted, and what became of it is written down."""
