"""The lifespan: builds every shared resource from the settings and yields one typed state."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypedDict

from anyio import to_thread
from fastapi import FastAPI
from threadpoolctl import threadpool_limits

from app.api.metrics.service import ServiceMetrics
from app.api.state import AppState
from app.domain.errors import RegistryUnavailableError
from app.domain.model_manifest import ModelManifest
from app.domain.policy import Promise, PromiseFor, RiskPolicy, RiskTargets, duplicate_similarity
from app.domain.shortcomings import shortcomings
from app.embedding.artifact import open_artifact
from app.embedding.checked import CheckedEmbedder
from app.embedding.load import load_embedder
from app.machine.memory import IdleTrim, give_back_free_memory
from app.registry.database import (
    Location,
    create_probe_engine,
    create_registry_engine,
    with_password,
)
from app.registry.repository import SqlRegistry
from app.registry.schema import is_at_head, upgrade_to_head
from app.search.faiss_index import FaissGalleryIndex
from app.services.admission import Admission
from app.services.audits import Audits, GalleryAudit, thresholds_in_force
from app.services.challenges import Challenges, NoLiveness
from app.services.employees import Employees
from app.services.enrollment import Enrollment
from app.services.enrollment_guards import EnrollmentGuards
from app.services.extraction import FaceExtraction
from app.services.gallery import Gallery
from app.services.policy import DecisionPolicy
from app.services.ports import GalleryIndex, Registry
from app.services.readiness import Readiness
from app.services.recognition import Recognition
from app.settings import PROJECT_ROOT, Settings
from app.vision.decode import DecodeLimits
from app.vision.detector import FaceDetector
from app.vision.opencv import configure_opencv
from app.vision.plainness import read_plainness
from app.vision.reader import FaceVision
from app.vision.weights import read_detector_weights

logger = logging.getLogger(__name__)

MAX_PHOTOS_PER_REQUEST = 20
SPARE_THREADS = 40
TRIM_SECONDS = 1.0
#: Where in the data folder models lie in the form that their runtime reads.
PREPARED_MODELS = "prepared-models"
PROBE_PHOTO = PROJECT_ROOT / "models" / "selftest" / "nobody.jpg"


class LifespanState(TypedDict):
    """What every request finds in ``request.state``."""

    facegate: AppState


def build_state(settings: Settings) -> tuple[AppState, SqlRegistry]:
    """Build everything that serves; raises ``FacegateError`` where a part is amiss."""
    configure_opencv(threads=1)
    limit_blas_threads(1)
    registry = open_registry(settings)
    embedder = make_embedder(settings)
    manifest = embedder.manifest
    vision = make_vision(settings, manifest)
    admission = Admission(settings.workers, settings.waiting_limit, settings.busy_timeout_seconds)
    extraction = FaceExtraction(vision, embedder, admission)
    index = FaissGalleryIndex(manifest.embedding_dim)
    gallery = make_gallery(registry, index, manifest)
    gallery.rebuild()
    risk = make_risk_policy(settings, manifest)
    policy = DecisionPolicy(risk, index, settings.prior_unknown, settings.prior_same)
    limits = manifest.verification_limits
    enrollment_limits = dataclasses.replace(
        manifest.enrollment_limits, min_size_pixels=settings.min_face_pixels
    )
    liveness = choose_liveness(settings)
    state = AppState(
        enrollment=Enrollment(
            extraction,
            registry,
            gallery,
            EnrollmentGuards(
                gallery, manifest.calibration, partial(duplicate_similarity, manifest, risk)
            ),
            manifest.model_version,
            enrollment_limits,
            MAX_PHOTOS_PER_REQUEST,
            settings.max_photos_per_employee,
        ),
        recognition=Recognition(
            extraction, registry, gallery, manifest, policy, limits, liveness, enrollment_limits
        ),
        employees=Employees(registry, gallery, manifest.recognisability),
        readiness=Readiness(
            FaceExtraction(vision, embedder, Admission(1, 0, settings.busy_timeout_seconds)),
            gallery,
            registry,
            PROBE_PHOTO.read_bytes(),
        ),
        manifest=manifest,
        runtime=embedder.runtime,
        policy=policy,
        metrics=make_metrics(policy),
        max_upload_bytes=settings.max_upload_bytes,
        admission=admission,
        audits=Audits(make_gallery_audit(registry, manifest, policy)),
        challenges=liveness if isinstance(liveness, Challenges) else None,
    )
    warn_of_shortcomings(manifest)
    warn_of_broken_promise(policy.identify())
    logger.info(
        "ready: %s by %s, %d employees", manifest.model_version, embedder.runtime, index.size
    )
    return state, registry


def make_gallery(registry: Registry, index: GalleryIndex, manifest: ModelManifest) -> Gallery:
    """Return the gallery of a model; photos that the model cannot read are left out of it."""
    centres = manifest.recognisability
    checks = () if centres is None else (centres.objection,)
    return Gallery(registry, index, manifest.model_version, checks)


def open_registry(settings: Settings) -> SqlRegistry:
    """Return the registry, its schema at head; raises ``FacegateError`` or ``OSError``."""
    if isinstance(settings.database, Path):
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = database_of(settings)
    upgrade_to_head(database)
    return SqlRegistry(create_registry_engine(database), create_probe_engine(database))


def database_of(settings: Settings) -> Location:
    """Return where the database is, with its password; raises ``ValueError``."""
    database, password = settings.database, settings.database_password
    if isinstance(database, Path) or password is None:
        return database
    return with_password(database, password.get_secret_value())


def make_vision(settings: Settings, manifest: ModelManifest) -> FaceVision:
    """Return the detector and reader, and what tells covered faces where the model has that.

    Raises ``DetectorArtifactError`` or ``ModelArtifactError`` for a wrong file.
    """
    return FaceVision(
        FaceDetector(read_detector_weights(settings.detector_path)),
        DecodeLimits(settings.max_upload_bytes, settings.max_photo_pixels),
        read_plainness(settings.model_dir, manifest.plainness),
    )


def make_embedder(settings: Settings) -> CheckedEmbedder:
    """Load the chosen model; what its runtime reads is prepared in the data folder."""
    return load_embedder(
        settings.model_dir,
        settings.runtime,
        settings.workers,
        torch_threads=1,
        prepared=settings.data_dir.resolve() / PREPARED_MODELS,
    )


def make_metrics(policy: DecisionPolicy) -> ServiceMetrics:
    """Return the service's metrics, with the promises in force."""
    return ServiceMetrics(
        lambda: policy.enrolled, {"identify": policy.identify, "claim": policy.verify}
    )


def warn_of_shortcomings(manifest: ModelManifest) -> None:
    """Say what the model cannot promise, as ``/v1/policy`` does."""
    lacking = shortcomings(manifest)
    if lacking:
        logger.warning("%s promises %s", manifest.model_version, "; ".join(lacking))


def warn_of_broken_promise(promise: Promise) -> None:
    """Say so where more people are enrolled than the stated risk can be promised for.

    And where it is promised to a mixture of strangers, what the worst group has to expect.
    """
    if not promise.kept:
        logger.warning(
            "%d people are too many for FACEGATE_TARGET_FPIR=%g: %.2g is promised (%s)",
            promise.people,
            promise.stated_rate,
            promise.promised_rate,
            promise.promise_for,
        )
    worst = max(promise.met, key=lambda met: met.rate)
    if promise.promise_for is PromiseFor.MIXED and worst.rate > promise.stated_rate:
        logger.warning(
            "FACEGATE_PROMISE_FOR=mixed: FACEGATE_TARGET_FPIR=%g does not hold for a staff of one "
            "group; where all are of one, as %s, %.2g is to be expected",
            promise.stated_rate,
            worst.population,
            worst.rate,
        )


def make_risk_policy(settings: Settings, manifest: ModelManifest) -> RiskPolicy:
    """Return the stated risks as a policy; raises ``UnsupportedRiskError``."""
    targets = RiskTargets(
        settings.target_fpir, settings.target_fmr, settings.min_similarity, settings.promise_for
    )
    return RiskPolicy(manifest, targets)


def make_gallery_audit(
    registry: Registry, manifest: ModelManifest, policy: DecisionPolicy
) -> GalleryAudit:
    """Return what audits the gallery of a model at the thresholds in force."""
    return GalleryAudit(
        registry,
        manifest.model_version,
        manifest.embedding_dim,
        manifest.calibration,
        partial(thresholds_in_force, manifest, policy),
        manifest.recognisability,
    )


def build_gallery_audit(settings: Settings) -> tuple[GalleryAudit, SqlRegistry]:
    """Build an audit without a service: the registry is read, and no network is loaded.

    Raises ``FacegateError`` where the model folder or the database is not what it must be.
    """
    limit_blas_threads(1)
    manifest = open_artifact(settings.model_dir).manifest
    risk = make_risk_policy(settings, manifest)
    database = database_of(settings)
    if not is_at_head(database):
        raise RegistryUnavailableError(
            "the database does not exist or has another schema; start the service once to make it"
        )
    registry = SqlRegistry(create_registry_engine(database))
    index = FaissGalleryIndex(manifest.embedding_dim)
    make_gallery(registry, index, manifest).rebuild()
    policy = DecisionPolicy(risk, index, settings.prior_unknown, settings.prior_same)
    return make_gallery_audit(registry, manifest, policy), registry


def limit_blas_threads(count: int) -> None:
    """Set how many threads numpy's matrix products take; audits are the only large ones."""
    threadpool_limits(count, user_api="blas")


def choose_liveness(settings: Settings) -> Challenges | NoLiveness:
    """Return the liveness check of these settings; says so where none can satisfy them."""
    if settings.liveness == "challenge":
        return Challenges(settings.require_liveness, time.monotonic)
    if settings.require_liveness:
        logger.error("liveness is required and off: every decision will be refused with 503")
    return NoLiveness(settings.require_liveness)


def provide_threads(slot_count: int) -> None:
    """Give the running event loop a thread for every slot, and some for all else.

    The queue of requests is then ``Admission``'s, which has an end, and not the pool's, which has
    none and in which everything else would stand behind the photos.
    """
    to_thread.current_default_thread_limiter().total_tokens = slot_count + SPARE_THREADS


async def give_back_memory(
    admission: Admission,
    give_back: Callable[[], object] = give_back_free_memory,
    every_seconds: float = TRIM_SECONDS,
) -> None:
    """Give memory back to the system whenever the photos that took it are done; runs for ever."""
    trim = IdleTrim()
    while True:
        await asyncio.sleep(every_seconds)
        try:
            if trim.is_due(admission.finished_count, admission.is_busy):
                await to_thread.run_sync(give_back)
        except Exception:  # as when no thread can be started now
            logger.exception("memory was not given back")


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[LifespanState]]


def make_lifespan(
    settings: Settings, built: tuple[AppState, SqlRegistry] | None = None
) -> Lifespan:
    """Return the lifespan of an application with these settings.

    A caller that must know beforehand whether it can start gives what ``build_state`` gave.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[LifespanState]:
        ready = await to_thread.run_sync(build_state, settings) if built is None else built
        state, registry = ready
        provide_threads(state.admission.slot_count)
        trimming = asyncio.create_task(give_back_memory(state.admission))
        try:
            yield {"facegate": state}
        finally:
            trimming.cancel()
            await to_thread.run_sync(state.audits.close)
            await to_thread.run_sync(registry.close)

    return lifespan
