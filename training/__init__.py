"""Offline training of face embedders; the service never imports this package."""
