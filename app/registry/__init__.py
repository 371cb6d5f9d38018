"""The only SQLAlchemy code of the service: employees, photos and the gallery's revision."""
