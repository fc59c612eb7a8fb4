"""What mail is, without any transport: no clock, no random, no I/O."""
