"""Benchmarks people can run: stages, load, galleries, start, memory and peers."""
