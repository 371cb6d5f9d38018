"""Odd pictures, sent the way that serves: what is refused, and whether strangers match."""
