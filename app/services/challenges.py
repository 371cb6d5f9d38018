"""Liveness by active challenges, kept in this process; and the absence of any check, said aloud."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.challenges import SEQUENCES, Instruction, require_motion
from app.domain.errors import (
    BusyError,
    ChallengesOffError,
    ChallengeUnknownError,
    LivenessNotConfiguredError,
    LivenessRequiredError,
)
from app.domain.head_motion import HeadView

CHALLENGE_SECONDS = 30.0
MAX_OPEN_CHALLENGES = 1_000


@dataclass(frozen=True)
class Challenge:
    """The instructions, and the moment of the clock after which no answer counts."""

    challenge_id: str
    instructions: tuple[Instruction, ...]
    expires_at: float


@dataclass(frozen=True)
class ChallengeTrial:
    """One answer to a challenge, a ``LivenessTrial``; ``reopen`` opens the challenge again."""

    challenge: Challenge
    reopen: Callable[[Challenge], None]

    def check(self, views: Sequence[HeadView]) -> None:
        """Return where the frames obey; raises ``LivenessFailedError``."""
        require_motion(self.challenge.instructions, views)

    def withdraw(self) -> None:
        """Leave the challenge to another answer, as long as it has not expired."""
        self.reopen(self.challenge)


class NoLiveness:
    """A ``LivenessCheck`` for a service that has none: it fails loudly wherever one is wanted."""

    def __init__(self, required: bool) -> None:
        self._required = required

    def begin(self, challenge_id: str | None) -> None:
        """Return nothing to pass.

        Raises ``LivenessNotConfiguredError`` where that is not enough, and ``ChallengesOffError``
        for an answer to a challenge.
        """
        if self._required:
            raise LivenessNotConfiguredError(
                "FACEGATE_REQUIRE_LIVENESS is set and FACEGATE_LIVENESS is off: nobody can pass"
            )
        if challenge_id is not None:
            raise ChallengesOffError("FACEGATE_LIVENESS is off: there are no challenges")


class Challenges:
    """A ``LivenessCheck`` by challenges. Safe to call from several threads.

    Open challenges live in the memory of this process, each for one checked answer and ``seconds``:
    several processes behind one address would each know their own only. None is given while
    ``max_open`` are open. A challenge belongs to nobody: any caller with its id may answer.
    """

    def __init__(
        self,
        required: bool,
        clock: Callable[[], float],
        seconds: float = CHALLENGE_SECONDS,
        max_open: int = MAX_OPEN_CHALLENGES,
    ) -> None:
        """Read ``clock`` in seconds, from any start, as ``time.monotonic`` gives them."""
        self.seconds = seconds
        self._required = required
        self._clock = clock
        self._max_open = max_open
        self._lock = threading.Lock()
        self._open: dict[str, Challenge] = {}  # in the order in which they expire

    def give(self) -> Challenge:
        """Open a challenge of random instructions; raises ``BusyError`` where too many are open."""
        now = self._clock()
        challenge = Challenge(
            secrets.token_urlsafe(16), secrets.choice(SEQUENCES), now + self.seconds
        )
        with self._lock:
            while self._open and (first := next(iter(self._open.values()))).expires_at <= now:
                del self._open[first.challenge_id]
            if len(self._open) >= self._max_open:
                oldest = next(iter(self._open.values()))
                raise BusyError(retry_after_seconds=max(1, round(oldest.expires_at - now)))
            self._open[challenge.challenge_id] = challenge
        return challenge

    def begin(self, challenge_id: str | None) -> ChallengeTrial | None:
        """Close the challenge and return its trial; None where none is needed and none brought.

        Raises ``LivenessRequiredError`` and ``ChallengeUnknownError``.
        """
        if challenge_id is None:
            if self._required:
                raise LivenessRequiredError(
                    "this service lets in nobody unchecked: ask POST /v1/challenges, then send the "
                    "frames with its challenge_id"
                )
            return None
        with self._lock:
            challenge = self._open.pop(challenge_id, None)
        if challenge is None or challenge.expires_at <= self._clock():
            raise ChallengeUnknownError(
                "no such challenge is open: it was answered, has expired or was never given"
            )
        return ChallengeTrial(challenge, self._reopen)

    def _reopen(self, challenge: Challenge) -> None:
        """Put an unexpired challenge back in its place among the others."""
        with self._lock:
            if challenge.expires_at <= self._clock():
                return
            self._open[challenge.challenge_id] = challenge
            self._open = dict(sorted(self._open.items(), key=lambda entry: entry[1].expires_at))
