"""Prometheus metrics of exchanges, decisions, doors and promises; never of people."""
