"""Makes photos of people who do not exist, for tests and for showing the service."""
