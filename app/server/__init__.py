"""uvicorn with bounds: connections, slow heads, shutdown, log."""
