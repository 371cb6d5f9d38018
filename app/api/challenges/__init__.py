"""Liveness challenges."""
