from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.domain.embeddings import as_embedding, centroid, directions, mean_directions, similarity

vectors = hnp.arrays(np.float64, 8, elements=st.floats(-5, 5)).filter(
    lambda vector: float(np.linalg.norm(vector)) > 0.1
)


def unit(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    scaled: npt.NDArray[np.float64] = vector / np.linalg.norm(vector)
    return scaled


@given(vectors)
def test_an_embedding_has_unit_length_and_cannot_be_changed(
    vector: npt.NDArray[np.float64],
) -> None:
    embedding = as_embedding(unit(vector))
    assert embedding.dtype == np.float32
    assert abs(float(np.linalg.norm(embedding)) - 1) < 1e-6
    with pytest.raises(ValueError, match="read-only"):
        embedding[0] = 0


@pytest.mark.parametrize(
    "vector",
    [[np.nan, 1.0], [np.inf, 0.0], [0.0, 0.0], [2.0, 0.0], [0.9, 0.0], [], [[1.0, 0.0]]],
)
def test_what_is_no_finite_unit_vector_is_refused(vector: list[float]) -> None:
    with pytest.raises(ValueError, match="embedding"):
        as_embedding(vector)


@given(st.lists(vectors, min_size=1, max_size=6))
def test_a_centroid_is_the_direction_of_the_mean(photos: list[npt.NDArray[np.float64]]) -> None:
    embeddings = [as_embedding(unit(photo)) for photo in photos]
    mean = np.mean([embedding.astype(float) for embedding in embeddings], axis=0)
    if np.linalg.norm(mean) < 1e-3:
        return
    np.testing.assert_allclose(centroid(embeddings), unit(mean), atol=1e-5)


def test_photos_that_cancel_out_have_no_centroid() -> None:
    with pytest.raises(ValueError, match="cancel"):
        centroid([as_embedding([1.0, 0.0]), as_embedding([-1.0, 0.0])])
    with pytest.raises(ValueError, match="at least one"):
        centroid([])


@given(
    sets=hnp.arrays(np.float32, (3, 4, 5), elements=st.floats(-1, 1, width=32)),
    weights=hnp.arrays(np.float64, (3, 4), elements=st.just(0.0) | st.floats(0.01, 9)),
)
def test_mean_directions_are_those_of_a_loop_over_everybody(
    sets: npt.NDArray[np.float32], weights: npt.NDArray[np.float64]
) -> None:
    for shares in (None, weights):
        found = mean_directions(sets, shares)
        assert found.shape == (3, 5)
        assert found.dtype == np.float32
        for person, photos in enumerate(sets.astype(float)):
            of = [1.0] * 4 if shares is None else shares[person].tolist()
            total = sum(w * photo for w, photo in zip(of, photos, strict=True))
            length = float(np.linalg.norm(total))
            if length < 1e-4 * max(1.0, sum(of)):  # too near to where there is no direction
                continue
            np.testing.assert_allclose(found[person], total / length, atol=1e-4)


def test_what_cancels_out_or_counts_for_nothing_has_no_direction() -> None:
    photos = np.array([[[1, 0], [-1, 0]], [[1, 0], [0, 1]]], np.float32)
    assert mean_directions(photos)[0].tolist() == [0, 0]
    assert mean_directions(photos, np.array([[1.0, 2], [0, 0]])).tolist() == [[-1, 0], [0, 0]]
    assert directions(np.array([1e-9, 0])).tolist() == [0, 0]
    assert directions(np.array([[0, 3.0]])).tolist() == [[0, 1]]


@given(vectors, vectors)
def test_similarity_is_a_symmetric_cosine(
    first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]
) -> None:
    one, two = as_embedding(unit(first)), as_embedding(unit(second))
    assert -1 <= similarity(one, two) <= 1
    assert similarity(one, two) == pytest.approx(similarity(two, one))
    assert similarity(one, one) == pytest.approx(1.0, abs=1e-6)
