from __future__ import annotations

import pytest

from app.machine.descriptors import MAX_CONNECTIONS, connections_within


@pytest.mark.parametrize(
    ("file_limit", "open_files", "connections"),
    [(256, 56, 100), (1024, 24, 616), (4096, 100, MAX_CONNECTIONS), (64, 60, 16)],
)
def test_connections_leave_room_for_other_files(
    file_limit: int, open_files: int, connections: int
) -> None:
    assert connections_within(file_limit, open_files) == connections
