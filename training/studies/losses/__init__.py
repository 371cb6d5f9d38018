"""Losses compared with everything else equal."""
