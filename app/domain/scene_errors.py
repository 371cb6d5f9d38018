"""What can go wrong with a scene: a burst of several people, a check for life."""

from __future__ import annotations

from app.domain.errors import FacegateError


class RefusedAttemptError(FacegateError):
    """An attempt to pass that is refused for how it was made, not for what its pictures are worth.

    Many of them at one door are somebody trying.
    """

    code = "attempt_refused"


class BurstOfSeveralPeopleError(RefusedAttemptError):
    """The frames of one burst do not all show the same person."""

    code = "burst_of_several_people"


class LivenessNotConfiguredError(FacegateError):
    """The policy lets nobody in without a passed liveness check, and the service has none."""

    code = "liveness_not_configured"


class LivenessRequiredError(RefusedAttemptError):
    """The policy lets nobody in without a passed liveness check, and the request brings none."""

    code = "liveness_required"


class LivenessFailedError(RefusedAttemptError):
    """The frames do not answer the challenge as a living head would."""

    code = "liveness_failed"


class ChallengesOffError(FacegateError):
    """A challenge is asked for or answered where the service gives none."""

    code = "challenges_off"


class ChallengeUnknownError(RefusedAttemptError):
    """No such challenge is open: it was answered, has expired or was never given."""

    code = "challenge_unknown"
