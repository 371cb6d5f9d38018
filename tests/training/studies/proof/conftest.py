"""A house of the service, for proofs that are held to what it answers."""

from tests.services.conftest import open_house

__all__ = ["open_house"]
