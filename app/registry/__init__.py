"""The employee registry: the only SQLAlchemy code of the service."""
