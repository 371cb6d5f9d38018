"""What holds for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# Before anything calculates: the networks and tables here are tiny, and threads that wait for each
# other on a busy machine cost ten times what they calculate. Services that tests start inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

# A busy machine is no defect: how long one example took says nothing of the code.
settings.register_profile("facegate", deadline=None)
settings.load_profile("facegate")
