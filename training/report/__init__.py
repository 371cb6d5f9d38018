"""A judgement of an embedder as one HTML page."""
