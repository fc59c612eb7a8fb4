"""Whether a machine may answer a mail at all. Its modules are named for what their rules look at."""
