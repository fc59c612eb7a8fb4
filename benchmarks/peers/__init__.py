"""What an organisation would run instead of ours: private servers on loopback, gone when their block ends."""
