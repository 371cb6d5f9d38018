from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.domain.embeddings import as_embedding
from app.registry.rows import embedding_from_bytes, embedding_to_bytes

DIRECTIONS = arrays(
    np.float64, st.integers(1, 600), elements=st.floats(-1, 1, allow_subnormal=False)
).filter(lambda vector: bool(np.linalg.norm(vector) > 1e-3))


@given(DIRECTIONS)
def test_an_embedding_survives_storage(
    direction: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> None:
    embedding = as_embedding(direction / np.linalg.norm(direction))
    stored = embedding_to_bytes(embedding)
    assert len(stored) == 4 * len(embedding)
    np.testing.assert_allclose(embedding_from_bytes(stored), embedding, atol=2e-7)


def test_embeddings_are_stored_little_endian() -> None:
    assert embedding_to_bytes(as_embedding([1.0, 0.0])) == b"\x00\x00\x80\x3f\x00\x00\x00\x00"


@pytest.mark.parametrize("stored", [b"", b"\x00", b"\x00" * 8, b"\x00\x00\xc0\x7f" * 2])
def test_other_bytes_are_no_embedding(stored: bytes) -> None:
    with pytest.raises(ValueError, match=r"embedding|buffer"):
        embedding_from_bytes(stored)
