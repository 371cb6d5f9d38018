"""Figures of judged embeddings: retrieval, decisions, open set, intervals."""
