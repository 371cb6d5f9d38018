"""The only faiss code of the service: exact similarities to every employee."""
