from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from app.domain.embeddings import Embedding, as_embedding
from app.domain.faces import (
    ENROLLMENT_LIMITS,
    VERIFICATION_LIMITS,
    Detection,
    Picture,
    require_quality,
)
from app.domain.photo_errors import (
    FaceCutOffError,
    FaceDistortedError,
    PhotoError,
    PhotoTooManyPixelsError,
)
from app.services.admission import Admission
from app.services.extraction import FaceExtraction, SeveralFaces
from app.vision.decode import DecodeLimits, open_photo
from app.vision.detector import FaceDetector
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights
from tests.services.fakes import DIM, FakeEmbedder
from tests.vision.pictures import encoded
from tests.vision.test_detector import PHOTOS


@pytest.fixture(scope="module")
def vision() -> FaceVision:
    return FaceVision(FaceDetector(read_detector_weights()))


def test_the_invented_people_pass_both_limits(vision: FaceVision) -> None:
    for path in PHOTOS:
        picture = vision.decode(path.read_bytes())
        crop = vision.crop(picture, vision.detect(picture)[0])
        assert crop.pixels.shape == (3, 112, 112)
        assert crop.pixels.dtype == np.uint8
        require_quality(crop.quality, ENROLLMENT_LIMITS)
        require_quality(crop.quality, VERIFICATION_LIMITS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_taken_sideways_gives_the_same_crop(vision: FaceVision, orientation: int) -> None:
    upright = Image.open(PHOTOS[0])
    to_stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(to_stored[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = vision.decode(encoded(stored, "PNG", exif=exif.tobytes()))
    plain = vision.decode(PHOTOS[0].read_bytes())
    assert np.array_equal(picture, plain)
    assert vision.detect(picture) == vision.detect(plain)


def refusals(vision: FaceVision, make: Callable[[Picture, Detection], Picture]) -> list[object]:
    """Return what enrollment says of a picture made of each invented person's photo."""
    found: list[object] = []
    for path in PHOTOS[::6]:
        picture = vision.decode(path.read_bytes())
        odd = np.ascontiguousarray(make(picture, vision.detect(picture)[0]))
        faces = vision.detect(odd)
        if not faces:
            continue
        try:
            require_quality(vision.crop(odd, faces[0]).quality, ENROLLMENT_LIMITS)
        except PhotoError as error:
            found.append(type(error))
        else:
            found.append(None)
    return found


@pytest.mark.parametrize("factors", [(1, 2), (2, 1), (3, 1)])
def test_a_stretched_photo_is_not_enrolled(vision: FaceVision, factors: tuple[int, int]) -> None:
    across, down = factors

    def stretched(picture: Picture, _: Detection) -> Picture:
        size = picture.shape[1] * across, picture.shape[0] * down
        return np.asarray(Image.fromarray(picture).resize(size))

    found = refusals(vision, stretched)
    assert found.count(None) <= 1
    assert found.count(FaceDistortedError) > len(found) / 2


@pytest.mark.parametrize("place", [(0, 0), (2, 0), (2, 1)])
def test_half_a_face_is_not_enrolled(vision: FaceVision, place: tuple[int, int]) -> None:
    landmark, axis = place  # the picture begins in the middle of the eye, or of the nose

    def cut(picture: Picture, face: Detection) -> Picture:
        start = round(face.landmarks[landmark][axis])
        return picture[start:] if axis else picture[:, start:]

    found = refusals(vision, cut)
    assert None not in found
    assert found
    assert found.count(FaceCutOffError) > len(found) / 2


def test_limits_are_those_given() -> None:
    strict = FaceVision(FaceDetector(read_detector_weights()), DecodeLimits(max_pixels=10_000))
    with pytest.raises(PhotoTooManyPixelsError):
        strict.decode(PHOTOS[0].read_bytes())


def test_the_crop_of_a_reduced_copy_is_nearly_the_same(vision: FaceVision) -> None:
    picture = vision.decode(PHOTOS[0].read_bytes())
    half = np.asarray(Image.fromarray(picture).reduce(2))
    whole_crop = vision.crop(picture, vision.detect(picture)[0])
    half_crop = vision.crop(half, vision.detect(half)[0])
    difference = np.abs(whole_crop.pixels.astype(int) - half_crop.pixels).mean()
    assert difference < 8
    assert half_crop.quality.size_pixels == pytest.approx(
        whole_crop.quality.size_pixels / 2, rel=0.1
    )
    assert half_crop.quality.yaw_degrees == pytest.approx(whole_crop.quality.yaw_degrees, abs=8)


def test_a_reduced_photo_is_described_in_its_own_pixels(vision: FaceVision) -> None:
    content = PHOTOS[0].read_bytes()
    reducing = FaceVision(FaceDetector(read_detector_weights()), DecodeLimits(max_side=500))
    assert reducing.decode(content).shape != vision.decode(content).shape
    whole, reduced = (
        FaceExtraction(eyes, OneEmbedding(), Admission(1, 0, 1.0)).extract(
            content, VERIFICATION_LIMITS, SeveralFaces.LARGEST
        )
        for eyes in (vision, reducing)
    )
    apart = np.abs(np.subtract(whole.detection.landmarks, reduced.detection.landmarks)).max()
    assert apart < 0.05 * whole.detection.box.width
    assert reduced.quality.size_pixels == pytest.approx(whole.quality.size_pixels, rel=0.1)


class OneEmbedding(FakeEmbedder):
    """Has only one answer."""

    def embed(self, crops: npt.NDArray[np.uint8]) -> list[Embedding]:
        return [as_embedding(np.eye(DIM)[0]) for _ in crops]


def in_a_room(height: int, *, progressive: bool = False) -> bytes:
    """Return a JPEG of 1280 x 720 px with an invented person's photo in it, so high."""
    photo = Image.open(PHOTOS[0]).convert("RGB")
    photo = photo.resize((round(photo.width * height / photo.height), height))
    room = Image.new("RGB", (1280, 720), (120, 130, 140))
    room.paste(photo, (300, (720 - height) // 2))
    content = BytesIO()
    room.save(content, "JPEG", quality=90, progressive=progressive)
    return content.getvalue()


def test_a_near_face_is_cut_from_a_picture_with_less_detail(vision: FaceVision) -> None:
    found = vision.find_faces(in_a_room(700), nearest=True)
    whole = vision.find_faces(in_a_room(700), nearest=False)
    assert (found.photo.scale, whole.photo.scale) == (2, 1)
    assert (found.photo.width, found.photo.height) == (1280, 720)
    near, far = found.detections[0].scaled(found.photo.scale), whole.detections[0]
    apart = np.abs(np.subtract(near.landmarks, far.landmarks)).max()
    assert apart < 0.03 * far.box.width


def test_a_small_face_is_cut_from_all_there_is(vision: FaceVision) -> None:
    found = vision.find_faces(in_a_room(150), nearest=True)
    assert found.photo.scale == 1
    assert len(found.detections) == 1


def test_what_is_dear_to_decode_is_decoded_once(vision: FaceVision) -> None:
    """All scans of a progressive file are read for any size: twice would be twice as dear."""
    content = in_a_room(700, progressive=True)
    assert vision.find_faces(content, nearest=True).photo.scale == 1
    assert open_photo(in_a_room(700), DecodeLimits()).reducible
    assert not open_photo(content, DecodeLimits()).reducible


def test_without_a_face_nothing_is_found_either_way(vision: FaceVision) -> None:
    empty = BytesIO()
    Image.new("RGB", (1280, 720), (90, 90, 90)).save(empty, "JPEG")
    for nearest in (True, False):
        assert vision.find_faces(empty.getvalue(), nearest=nearest).detections == []
