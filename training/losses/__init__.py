"""Losses: forward(embeddings, labels) gives a scalar."""
