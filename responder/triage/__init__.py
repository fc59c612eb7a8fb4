"""May we answer, do we know, are we sure: decides everything and does no I/O."""
