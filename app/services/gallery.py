"""Keeps the index a faithful copy of the registry: flush, commit, index, and then an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.domain.employees import Employee, LeftOut
from app.domain.gallery_changes import GalleryMark
from app.services.ports import GalleryIndex, Registry, RegistrySession
from app.services.usable_photos import PhotoCheck, UsableGallery, UsablePhotos, centroid_of

logger = logging.getLogger(__name__)

#: Beyond so many, reading all entries at once costs less than reading those that changed.
MAX_FOLLOWED = 1_000


class Gallery:
    """The registry and its index behind one door.

    SQL is the truth and the index a cache of it. Every committed change grows the registry's
    revision by one and draws a token; an index of another state than the registry's is out of date,
    be it that another process wrote, that this one failed between commit and index, or that the
    database lost what was committed. The log of changes then says whose entries to read again, and
    where it does not the index is built anew.
    """

    def __init__(
        self,
        registry: Registry,
        index: GalleryIndex,
        model_version: str,
        photo_checks: Sequence[PhotoCheck] = (),
        max_followed: int = MAX_FOLLOWED,
    ) -> None:
        """``photo_checks`` say which stored photos must not be compared with anybody, and why.

        Where more than ``max_followed`` entries changed, all are read again at once.
        """
        self._registry = registry
        self._index = index
        self._model_version = model_version
        self._photos = UsablePhotos(model_version, index.embedding_dim, photo_checks)
        self._max_followed = max_followed
        self._changing = threading.RLock()
        self._mark: GalleryMark | None = None
        self._left_out: tuple[LeftOut, ...] = ()
        self._people_left_out: frozenset[int] = frozenset()

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
        return max(0, session.count_active() - self._index.size - len(self._people_left_out))

    def rebuild(self) -> None:
        """Build the index from the registry."""
        with self._registry.session() as session, self._changing:
            self._build_from(session)

    def is_current(self) -> bool:
        """Say whether the index reflects the registry as it is now."""
        with self._registry.session() as session:
            if session.gallery_mark() == self._mark:
                return True
            with self._changing:  # a change of this process may lie between commit and index
                return session.gallery_mark() == self._mark

    def refresh(self, session: RegistrySession) -> None:
        """Bring the index up to date where somebody else changed the registry."""
        if session.gallery_mark() != self._mark:
            with self._changing:
                if session.gallery_mark() != self._mark:
                    self._follow(session)

    def _follow(self, session: RegistrySession) -> None:
        """Read again whose entries changed since the index was current, or else everybody's."""
        wanted = session.gallery_mark()
        changes = None if self._mark is None else session.changes_since(self._mark)
        # The log was read after the mark, so it is no shorter where everybody writes it.
        if (
            changes is None
            or len(changes.employee_keys) > self._max_followed
            or changes.mark.revision < wanted.revision
            or (changes.mark.revision == wanted.revision and changes.mark != wanted)
        ):
            self._build_from(session)
            return
        keys, revision = changes.employee_keys, changes.mark.revision
        usable = self._photos.gallery(session, employee_keys=keys)
        for entry in usable.entries:
            self._index.upsert(entry, revision)
        for key in keys - {entry.employee_key for entry in usable.entries}:
            self._index.remove(key, revision)
        others = tuple(one for one in self._left_out if one.employee_key not in keys)
        self._note_left_out(usable, others, self._people_left_out - keys)
        self._mark = changes.mark

    def _build_from(self, session: RegistrySession) -> None:
        """Build the index with a session that is open: who waits for a second one may wait long."""
        mark = session.gallery_mark()
        usable = self._photos.gallery(session)
        self._index.replace_all(usable.entries, mark.revision)
        self._mark = mark
        logger.info("index built: %d employees at revision %d", len(usable.entries), mark.revision)
        self._note_left_out(usable, (), frozenset())
        unseen = self.count_unseen(session)
        if unseen:
            logger.warning(unseen_people(unseen, self._model_version))

    def _note_left_out(
        self, usable: UsableGallery, others: tuple[LeftOut, ...], other_people: frozenset[int]
    ) -> None:
        """Keep what was left out of entries just read, beside what was left out of ``others``."""
        self._left_out = (*others, *usable.left_out)
        refused = {one.employee_key for one in usable.left_out}
        found = {entry.employee_key for entry in usable.entries}
        self._people_left_out = other_people | (refused - found)
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
        photos = self._photos.of_employee(session, employee.key)
        middle = centroid_of(photos) if photos else None
        if middle is not None:
            session.store_centroid(employee.key, middle, self._model_version)
        self._commit(session, employee.key)

    def commit_removal(self, session: RegistrySession, employee: Employee) -> None:
        """Commit the deletion of one employee, then take it from the index."""
        self._commit(session, employee.key)

    def _commit(self, session: RegistrySession, employee_key: int) -> None:
        """Commit, then follow the log, where changes of others may come before this one.

        What is committed has happened: a fault of the index is logged and not raised, for a caller
        that sees a failure would do it again. The mark makes the next search repair the index.
        """
        revision = session.advance_revision(employee_key)
        session.commit()
        try:
            self._follow(session)
        except Exception:
            logger.exception("the index could not apply revision %d and will be rebuilt", revision)
            self._mark = None


def unseen_people(count: int, model_version: str) -> str:
    """Return the warning about people that the present model never saw."""
    return (
        f"{count} active employees have no photo of model {model_version} and cannot be "
        "recognised; pictures are not kept, so enroll them again"
    )
