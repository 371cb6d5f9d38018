"""Audits of the gallery: one at a time, on a thread that lets everything else go first."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from app.domain.audit.audit import audit
from app.domain.audit.comparisons import BetweenBlocks
from app.domain.audit.errors import (
    AuditNotFoundError,
    AuditRunningError,
    NothingToAuditError,
)
from app.domain.audit.gallery import AuditedPhoto, AuditGallery
from app.domain.audit.result import (
    AuditResult,
    AuditThresholds,
    UnrecognisablePhoto,
    thresholds_by_photos,
)
from app.domain.calibration import Calibration
from app.domain.errors import FacegateError
from app.domain.model_manifest import ModelManifest
from app.domain.policy import duplicate_similarity
from app.domain.recognisability import Recognisability
from app.services.policy import DecisionPolicy
from app.services.ports import Registry

logger = logging.getLogger(__name__)

#: As many does the reason name for which there is nothing to audit.
EMPLOYEES_NAMED = 10
EMPLOYEES_PER_PAGE = 50
#: The niceness of the audit's thread: the scheduler gives it what the others leave.
NICENESS = 19
#: After each block, which takes a few milliseconds, the audit rests as long as the block took, and
#: at least and at most so long: a thread that waits for the interpreter gets it.
SHORTEST_REST_SECONDS, LONGEST_REST_SECONDS = 0.002, 0.1
READING_SHARE = 0.2


class AuditState(StrEnum):
    """How far an audit is."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class AuditRecord:
    """One audit. ``progress``: 0 to 1. ``result`` is there once it is finished.

    ``failure``: the code of the error that ended it.
    """

    audit_id: str
    state: AuditState
    progress: float
    started_at: datetime
    finished_at: datetime | None
    model_version: str
    result: AuditResult | None
    failure: str | None


class _StoppedError(Exception):
    """The service stops, and the audit with it."""


def thresholds_in_force(manifest: ModelManifest, policy: DecisionPolicy) -> AuditThresholds:
    """Return what the service decides by now: from who is enrolled and the stated risk."""
    return thresholds_by_photos(
        [photos for photos, _ in manifest.centroid_shifts],
        lambda photos: policy.identify(photos=photos),
        lambda photos: policy.verify(photos=photos),
        duplicate_similarity(manifest, policy.risk, policy.enrolled),
        policy.risk.targets.fpir,
    )


class GalleryAudit:
    """Reads the gallery of one model and audits it, in the thread of the caller."""

    def __init__(
        self,
        registry: Registry,
        model_version: str,
        embedding_dim: int,
        calibration: Calibration,
        thresholds: Callable[[], AuditThresholds],
        recognisability: Recognisability | None = None,
    ) -> None:
        """``thresholds`` gives those in force when an audit starts.

        With ``recognisability`` photos that no enrollment would take are named and not compared.
        """
        self.model_version = model_version
        self._registry = registry
        self._embedding_dim = embedding_dim
        self._calibration = calibration
        self._thresholds = thresholds
        self._recognisability = recognisability

    def run(self, between_blocks: BetweenBlocks) -> AuditResult:
        """Audit all active employees; raises ``NothingToAuditError`` where nobody has a photo.

        The registry is read in a session of its own, which is closed before anything is computed.
        It is read in pages: what is enrolled meanwhile may be in or not.
        """
        gallery, unrecognisable = self._read(between_blocks)
        if not gallery.photo_ids:
            raise NothingToAuditError(_why_nothing(unrecognisable))
        return audit(
            gallery,
            self._thresholds(),
            self._calibration,
            lambda done: between_blocks(READING_SHARE + (1 - READING_SHARE) * done),
            unrecognisable=unrecognisable,
        )

    def _read(
        self, between_blocks: BetweenBlocks
    ) -> tuple[AuditGallery, list[UnrecognisablePhoto]]:
        photos: list[AuditedPhoto] = []
        unrecognisable: list[UnrecognisablePhoto] = []
        with self._registry.session() as session:
            active = max(1, session.count_active())
            read, key = 0, 0
            while True:
                page = session.audit_page(self.model_version, key, EMPLOYEES_PER_PAGE)
                for photo in page.photos:
                    if len(photo.embedding) != self._embedding_dim:
                        continue  # the index names it
                    refused = self._as_unrecognisable(photo)
                    if refused is None:
                        photos.append(photo)
                    else:
                        unrecognisable.append(refused)
                if page.next_key is None:
                    told_apart = session.confirmed_pairs()
                    return AuditGallery.of(photos, told_apart), unrecognisable
                read, key = read + EMPLOYEES_PER_PAGE, page.next_key
                between_blocks(READING_SHARE * min(1.0, read / active))

    def _as_unrecognisable(self, photo: AuditedPhoto) -> UnrecognisablePhoto | None:
        centres = self._recognisability
        if centres is None or centres.objection(photo.embedding) is None:
            return None
        return UnrecognisablePhoto(photo.employee_id, photo.photo_id, centres.of(photo.embedding))


class Audits:
    """The use cases behind ``/v1/audits``. Results live in this process, the last few of them."""

    def __init__(self, gallery_audit: GalleryAudit, kept: int = 5) -> None:
        self._gallery_audit = gallery_audit
        self._kept = kept
        self._lock = threading.Lock()
        self._records: dict[str, AuditRecord] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> AuditRecord:
        """Start an audit and return at once; raises ``AuditRunningError`` while one runs."""
        with self._lock:
            running = [one for one in self._records.values() if one.state is AuditState.RUNNING]
            if running:
                raise AuditRunningError(f"the audit {running[0].audit_id} runs; wait for its end")
            record = AuditRecord(
                audit_id=uuid.uuid4().hex,
                state=AuditState.RUNNING,
                progress=0.0,
                started_at=datetime.now(UTC),
                finished_at=None,
                model_version=self._gallery_audit.model_version,
                result=None,
                failure=None,
            )
            self._records[record.audit_id] = record
            while len(self._records) > self._kept:
                del self._records[next(iter(self._records))]
            self._thread = threading.Thread(
                target=self._run, args=(record.audit_id,), name="audit", daemon=True
            )
            self._thread.start()
        return record

    def read(self, audit_id: str) -> AuditRecord:
        """Return an audit as it stands; raises ``AuditNotFoundError``."""
        with self._lock:
            if audit_id not in self._records:
                raise AuditNotFoundError(f"no audit {audit_id!r} is kept in this process")
            return self._records[audit_id]

    def close(self) -> None:
        """End a running audit, soon."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=10.0)

    def _run(self, audit_id: str) -> None:
        began = time.perf_counter()

        def between_blocks(done: float) -> None:
            nonlocal began
            self._show_progress(audit_id, done)
            spent = time.perf_counter() - began
            if self._stopping.wait(min(max(spent, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS)):
                raise _StoppedError
            began = time.perf_counter()

        try:
            _let_others_go_first()
            result = self._gallery_audit.run(between_blocks)
        except _StoppedError:
            self._end(audit_id, AuditState.FAILED, failure="stopped")
        except FacegateError as error:
            # By its code: the message may name people, and logs are kept longer than people.
            logger.warning("audit %s: %s", audit_id, error.code)
            self._end(audit_id, AuditState.FAILED, failure=error.code)
        except Exception:
            logger.exception("audit %s failed", audit_id)
            self._end(audit_id, AuditState.FAILED, failure="internal")
        else:
            self._end(audit_id, AuditState.FINISHED, result=result)

    def _end(
        self,
        audit_id: str,
        state: AuditState,
        result: AuditResult | None = None,
        failure: str | None = None,
    ) -> None:
        with self._lock:
            self._records[audit_id] = dataclasses.replace(
                self._records[audit_id],
                state=state,
                progress=1.0,
                finished_at=datetime.now(UTC),
                result=result,
                failure=failure,
            )

    def _show_progress(self, audit_id: str, done: float) -> None:
        with self._lock:
            record = self._records[audit_id]
            self._records[audit_id] = dataclasses.replace(record, progress=min(done, 0.99))


def _why_nothing(unrecognisable: Sequence[UnrecognisablePhoto]) -> str:
    """Return why there is nothing to audit, with the first who have to be enrolled anew."""
    if not unrecognisable:
        return "no active employee has a photo of the present model"
    people = list(dict.fromkeys(one.employee_id for one in unrecognisable))
    more = len(people) - EMPLOYEES_NAMED
    return (
        f"all {len(unrecognisable)} photos of active employees are unrecognisable: "
        f"{', '.join(people[:EMPLOYEES_NAMED])}{f' and {more} more employees' if more > 0 else ''}"
    )


def _let_others_go_first() -> None:
    """Lower the urgency of this thread, where the system knows threads apart from processes."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
