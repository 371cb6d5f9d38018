"""What stands between photos and the gallery: do they agree, and is the face there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from app.domain.agreement import find_outliers
from app.domain.calibration import Calibration
from app.domain.embeddings import Embedding, centroid, similarity
from app.domain.employees import Employee, EmployeeStatus
from app.domain.errors import FaceAlreadyEnrolledError, LookAlike
from app.domain.photo_errors import PhotoError, PhotoOfSomebodyElseError, PhotosDisagreeError
from app.services.gallery import Gallery
from app.services.ports import RegistrySession


class EnrollmentGuards:
    """Checks the photos of one enrollment by the model's calibration and the policy's threshold.

    They run inside the enrollment's transaction, on what nobody else can change.
    """

    def __init__(
        self,
        gallery: Gallery,
        calibration: Calibration,
        duplicate_similarity: Callable[[int], float],
    ) -> None:
        """Take from which similarity on a face counts as enrolled already, by people enrolled."""
        self._gallery = gallery
        self._calibration = calibration
        self._duplicate_similarity = duplicate_similarity

    def disagreeing(
        self, photos: Sequence[Embedding], enrolled: Sequence[Embedding]
    ) -> dict[int, PhotoError]:
        """Return, by position in ``photos``, what speaks against storing a photo.

        A photo is compared with the others and with those ``enrolled``: the employee's photos of
        the present model, but for any that are being replaced.
        """
        found = find_outliers(photos, enrolled, self._calibration)
        if found.undecided:
            return dict.fromkeys(found.outliers, _undecided(photos))
        accepted = [one for n, one in enumerate(photos) if n not in found.outliers]
        person = [*enrolled, *accepted]
        return {position: self._odd_one(photos[position], person) for position in found.outliers}

    def require_new_face(
        self,
        session: RegistrySession,
        employee: Employee,
        photos: Sequence[Embedding],
        *,
        confirmed_distinct: bool,
    ) -> dict[int, LookAlike]:
        """Return by key who is kept as a look-alike of ``employee``, which is empty mostly.

        Everybody enrolled is compared with the centroid of ``photos``, the suspended too, except
        those known as look-alikes. Raises ``FaceAlreadyEnrolledError`` where somebody reaches the
        threshold and the caller has not confirmed that these are two people.
        """
        # From here on no other process commits a change of the gallery before this one does.
        session.lock_gallery()
        self._gallery.refresh(session)
        limit = self._duplicate_similarity(self._gallery.index.size)
        excused = {employee.key} | session.look_alikes_of([employee.key])[employee.key]
        alike = {
            key: likeness
            for key, likeness in self._likenesses(session, centroid(photos), limit)
            if likeness >= limit and key not in excused
        }
        people = session.employees_by_key(list(alike))
        nearest_first = sorted(people, key=lambda key: (-alike[key], key))
        found = {
            key: LookAlike(people[key].employee_id, people[key].full_name, alike[key])
            for key in nearest_first
        }
        if found and not confirmed_distinct:
            raise FaceAlreadyEnrolledError(tuple(found.values()), limit)
        return found

    def _likenesses(
        self, session: RegistrySession, probe: Embedding, limit: float
    ) -> Iterator[tuple[int, float]]:
        everyone = self._gallery.index.compare_all(probe)
        similar = np.flatnonzero(everyone.similarities >= limit)
        for position in similar.tolist():
            yield int(everyone.employee_keys[position]), float(everyone.similarities[position])
        # Not in the index, for nobody may be recognised as them.
        suspended = self._gallery.photos.gallery(session, EmployeeStatus.SUSPENDED)
        for entry in suspended.entries:
            yield entry.employee_key, similarity(probe, entry.centroid)

    def _odd_one(self, photo: Embedding, person: Sequence[Embedding]) -> PhotoOfSomebodyElseError:
        likeness = similarity(photo, centroid(person))
        needed = self._calibration.similarity_of_equal_evidence(len(person))
        photos = "photo" if len(person) == 1 else f"{len(person)} photos"
        return PhotoOfSomebodyElseError(
            f"the face has similarity {likeness:.2f} to the employee's other {photos}, "
            f"{needed:.2f} is needed"
        )


def _undecided(photos: Sequence[Embedding]) -> PhotosDisagreeError:
    lowest = min(
        similarity(one, other) for n, one in enumerate(photos) for other in photos[n + 1 :]
    )
    return PhotosDisagreeError(
        f"the {len(photos)} usable photos show different people, as unlike as similarity "
        f"{lowest:.2f}, and no more than half of them agree"
    )
