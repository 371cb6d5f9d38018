"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no defect: how long one example took says nothing of the code.
settings.register_profile("facegate", deadline=None)
settings.load_profile("facegate")
