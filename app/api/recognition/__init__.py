"""Verify, identify, compare, and claims by id or card."""
