"""Frozen face embedders whose answers a student learns from."""
