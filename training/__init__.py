"""Offline: turns pictures into embedders and proves them; the service never imports it."""
