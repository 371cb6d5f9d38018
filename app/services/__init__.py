"""Use cases in plain Python; ports.py says what they need of the world."""
