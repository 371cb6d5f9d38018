"""What the active challenge stops and what passes it."""
