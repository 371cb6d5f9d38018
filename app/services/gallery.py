"""Keeps the index a faithful copy of the registry: flush, commit, index, and then an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.domain.employees import Employee, EmployeeStatus, GalleryEntry, LeftOut
from app.services.ports import GalleryIndex, Registry, RegistrySession
from app.services.usable_photos import PhotoCheck, UsablePhotos, centroid_of

logger = logging.getLogger(__name__)


class Gallery:
    """The registry and its index behind one door.

    SQL is the truth and the index a cache of it. Every committed change grows the registry's
    revision by one; an index at another revision than the registry's is out of date, be it that
    another process wrote or that this one died between commit and index, and is built anew.
    """

    def __init__(
        self,
        registry: Registry,
        index: GalleryIndex,
        model_version: str,
        photo_checks: Sequence[PhotoCheck] = (),
    ) -> None:
        """``photo_checks`` say which stored photos must not be compared with anybody, and why."""
        self._registry = registry
        self._index = index
        self._model_version = model_version
        self._photos = UsablePhotos(model_version, index.embedding_dim, photo_checks)
        self._changing = threading.RLock()
        self._left_out: tuple[LeftOut, ...] = ()
        self._people_left_out = 0

    @property
    def model_version(self) -> str:
        """The embedder whose photos the index holds."""
        return self._model_version

    @property
    def index(self) -> GalleryIndex:
        """The index, for searching after ``refresh``."""
        return self._index

    @property
    def photos(self) -> UsablePhotos:
        """Which stored photos count, for comparisons without the index."""
        return self._photos

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Stored photos of active employees that are not in the index, and why."""
        return self._left_out

    def count_unseen(self, session: RegistrySession) -> int:
        """Return how many active employees have photos, but none of this model.

        An employee whose photos all do not count is named in ``left_out`` instead.
        """
        return max(0, session.count_active() - self._index.size - self._people_left_out)

    def rebuild(self) -> None:
        """Build the index from the registry."""
        with self._registry.session() as session, self._changing:
            self._build_from(session)

    def is_current(self) -> bool:
        """Say whether the index reflects the registry as it is now."""
        with self._registry.session() as session:
            if session.revision() == self._index.revision:
                return True
            with self._changing:  # a change of this process may lie between commit and index
                return session.revision() == self._index.revision

    def refresh(self, session: RegistrySession) -> None:
        """Rebuild the index where somebody else changed the registry."""
        if session.revision() != self._index.revision:
            with self._changing:
                if session.revision() != self._index.revision:
                    self._build_from(session)

    def _build_from(self, session: RegistrySession) -> None:
        """Build the index with a session that is open: who waits for a second one may wait long."""
        revision = session.revision()
        usable = self._photos.gallery(session)
        self._index.replace_all(usable.entries, revision)
        logger.info("index built: %d employees at revision %d", len(usable.entries), revision)
        self._left_out = usable.left_out
        refused = {one.employee_key for one in usable.left_out}
        self._people_left_out = len(refused - {entry.employee_key for entry in usable.entries})
        unseen = self.count_unseen(session)
        if unseen:
            logger.warning(unseen_people(unseen, self._model_version))
        for one in usable.left_out[:20]:  # no employee_id: logs are kept longer than people
            logger.warning("photo %s is left out: %s", one.photo_id, one.reason)

    @contextmanager
    def changing(self) -> Iterator[RegistrySession]:
        """Open a transaction for a change of the gallery; one at a time in this process."""
        # The connection first: who holds the lock never waits for the pool.
        with self._registry.session() as session, self._changing:
            yield session

    def commit(self, session: RegistrySession, employee: Employee) -> None:
        """Commit what was done to one employee's photos or status, then show it to the index."""
        entry = self._refresh_entry(session, employee)
        revision = session.advance_revision()
        session.commit()
        self._apply(session, revision, employee.key, entry)

    def commit_removal(self, session: RegistrySession, employee: Employee) -> None:
        """Commit the deletion of one employee, then take it from the index."""
        revision = session.advance_revision()
        session.commit()
        self._apply(session, revision, employee.key, None)

    def _apply(
        self,
        session: RegistrySession,
        revision: int,
        employee_key: int,
        entry: GalleryEntry | None,
    ) -> None:
        """Show a committed change to the index, which others may have left further behind.

        What is committed has happened: a fault here is logged and not raised, for a caller that
        sees a failure would do it again. The revision makes the next search repair the index.
        """
        try:
            named = any(one.employee_key == employee_key for one in self._left_out)
            if self._index.revision != revision - 1 or named:
                self._build_from(session)  # what is said of those left out changes as well
            elif entry is None:
                self._index.remove(employee_key, revision)
            else:
                self._index.upsert(entry, revision)
        except Exception:
            logger.exception("the index could not apply revision %d and will be rebuilt", revision)

    def _refresh_entry(self, session: RegistrySession, employee: Employee) -> GalleryEntry | None:
        photos = self._photos.of_employee(session, employee.key)
        middle = centroid_of(photos) if photos else None
        if middle is None:
            return None
        session.store_centroid(employee.key, middle, self._model_version)
        if employee.status is not EmployeeStatus.ACTIVE:
            return None
        return GalleryEntry(employee.key, middle, tuple(photos))


def unseen_people(count: int, model_version: str) -> str:
    """Return the warning about people that the present model never saw."""
    return (
        f"{count} active employees have no photo of model {model_version} and cannot be "
        "recognised; pictures are not kept, so enroll them again"
    )
