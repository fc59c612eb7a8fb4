"""The only room that knows every piece: settings → store, knowledge, agents, signals."""
