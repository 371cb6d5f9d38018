"""Embeddings on disk, nearest pictures, verification of two pictures."""
