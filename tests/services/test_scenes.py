from __future__ import annotations

from collections.abc import Callable

import pytest

from app.domain import errors, photo_errors
from app.domain.challenges import Instruction
from app.services.admission import Admission
from app.services.challenges import Challenge, Challenges, NoLiveness
from app.services.extraction import SeveralFaces
from app.services.scenes import Liveness, Scene
from tests.services.conftest import House
from tests.services.fakes import photo
from tests.services.test_recognition import enroll_team

LARGEST = SeveralFaces.LARGEST
START = 1_000.0


class Clock:
    """A clock that a test moves."""

    now = START

    def __call__(self) -> float:
        return self.now


def burst(person: str, *shots: int, **facts: float) -> Scene:
    return Scene(tuple(photo(person, shot, **facts) for shot in shots))


def obedient(challenge: Challenge, person: str = "ann", **facts: float) -> Scene:
    """Return frames that follow the challenge, a look each."""
    yaws = {
        Instruction.TURN_LEFT: 35.0,
        Instruction.TURN_RIGHT: -35.0,
        Instruction.LOOK_STRAIGHT: 0.0,
    }
    frames = tuple(
        photo(person, shot, yaw_degrees=yaws[look], **facts)
        for shot, look in enumerate(challenge.instructions)
    )
    return Scene(frames, challenge.challenge_id)


def test_a_burst_is_recognised_by_all_its_frames(house: House) -> None:
    enroll_team(house, "ann", "bob")
    one = house.recognition.identify(photo("bob", 7), 1, LARGEST)
    many = house.recognition.identify(burst("bob", 7, 8, 9, 10, 11), 1, LARGEST)
    assert one.known is not None
    assert many.known is not None
    assert many.known.similarity > one.known.similarity
    assert [frame.used for frame in many.face.frames] == [True] * 5
    assert many.face.frames_used == 5
    claim = house.recognition.verify_claim("bob", burst("bob", 7, 8, 9), LARGEST)
    assert claim.accepted
    assert claim.face.frames_used == 3


def test_a_frame_without_a_usable_face_is_named_and_left_out(house: House) -> None:
    enroll_team(house, "ann")
    frames = (photo("ann", 5), photo("ann", 6, sharpness=1), b"garbage", photo("ann", 7, faces=0))
    seen = house.recognition.identify(Scene(frames), 1, LARGEST)
    assert seen.known is not None
    assert [frame.code for frame in seen.face.frames] == [
        None,
        "face_blurred",
        "photo_undecodable",
        "no_face",
    ]
    assert all(frame.hint for frame in seen.face.frames[1:])
    alone = house.recognition.identify(photo("ann", 5), 1, LARGEST)
    assert seen.known.similarity == pytest.approx(alone.known.similarity if alone.known else 0)


def test_a_burst_of_nothing_usable_fails_as_its_best_frame_does(house: House) -> None:
    frames = (b"garbage", photo("ann", 6, faces=0), photo("ann", 7, clipped_shadows=1), b"rubbish")
    with pytest.raises(
        photo_errors.FaceTooDarkError, match="none of 4 frames can be used; frame 2"
    ):
        house.recognition.identify(Scene(frames), 1, LARGEST)
    large = photo_errors.PhotoTooManyBytesError("a photo may have 5 bytes")
    with pytest.raises(photo_errors.PhotoTooManyBytesError, match=r"^a photo may have 5 bytes$"):
        house.recognition.identify(Scene((large,)), 1, LARGEST)


def test_a_burst_of_several_people_is_refused(house: House) -> None:
    enroll_team(house, "ann", "bob")
    mixed = Scene((photo("ann", 5), photo("bob", 6), photo("ann", 7)))
    for ask in (
        lambda: house.recognition.identify(mixed, 1, LARGEST),
        lambda: house.recognition.verify_claim("ann", mixed, LARGEST),
    ):
        with pytest.raises(errors.BurstOfSeveralPeopleError):
            ask()


@pytest.mark.parametrize("frames", [0, 6])
def test_a_scene_has_one_to_five_frames(frames: int) -> None:
    with pytest.raises(ValueError, match="1 to 5 frames"):
        Scene((b"x",) * frames)


def test_a_burst_takes_one_turn(open_house: Callable[..., House]) -> None:
    house = open_house(admission=Admission(1, 8, 0.2))
    enroll_team(house, "ann")
    scene = burst("ann", 5, 6, 7, 8, 9)
    with house.admission.permit(), pytest.raises(errors.BusyError):
        house.recognition.identify(scene, 1, LARGEST)
    # With one permit to give, a second one within the first would never come.
    assert house.recognition.identify(scene, 1, LARGEST).known is not None


def test_without_a_check_liveness_is_not_checked(house: House) -> None:
    seen = house.recognition.identify(photo("ann", 5), 1, LARGEST)
    assert seen.face.liveness is Liveness.NOT_CHECKED
    with pytest.raises(errors.ChallengesOffError):
        house.recognition.identify(Scene((photo("ann", 5),), "a-challenge"), 1, LARGEST)


def test_required_and_not_configured_fails_loudly(open_house: Callable[..., House]) -> None:
    house = open_house(liveness=NoLiveness(required=True))
    enroll_team(house, "ann")
    with pytest.raises(errors.LivenessNotConfiguredError):
        house.recognition.identify(photo("ann", 5), 1, LARGEST)
    with pytest.raises(errors.LivenessNotConfiguredError):
        house.recognition.verify_claim("ann", photo("ann", 5), LARGEST)


def test_a_challenge_is_passed_by_following_it_once(open_house: Callable[..., House]) -> None:
    challenges = Challenges(True, Clock())
    house = open_house(liveness=challenges)
    enroll_team(house, "ann")
    with pytest.raises(errors.LivenessRequiredError):
        house.recognition.identify(photo("ann", 5), 1, LARGEST)
    answer = obedient(challenges.give())
    seen = house.recognition.identify(answer, 1, LARGEST)
    assert seen.face.liveness is Liveness.PASSED
    assert seen.known is not None
    with pytest.raises(errors.ChallengeUnknownError):
        house.recognition.identify(answer, 1, LARGEST)


def test_a_failed_answer_spends_the_challenge(open_house: Callable[..., House]) -> None:
    challenges = Challenges(False, Clock())
    house = open_house(liveness=challenges)
    challenge = challenges.give()
    with pytest.raises(errors.LivenessFailedError):
        house.recognition.identify(obedient(challenge, flat=1), 1, LARGEST)
    with pytest.raises(errors.ChallengeUnknownError):
        house.recognition.identify(obedient(challenge), 1, LARGEST)


def test_a_busy_service_spends_no_challenge(open_house: Callable[..., House]) -> None:
    clock = Clock()
    challenges = Challenges(True, clock, max_open=2)
    house = open_house(admission=Admission(1, 8, 0.05), liveness=challenges)
    enroll_team(house, "ann")
    challenge = challenges.give()
    answer = obedient(challenge)
    for _ in range(2):
        with house.admission.permit(), pytest.raises(errors.BusyError):
            house.recognition.identify(answer, 1, LARGEST)
    assert house.recognition.identify(answer, 1, LARGEST).face.liveness is Liveness.PASSED
    with pytest.raises(errors.ChallengeUnknownError):  # judged once, and never again
        house.recognition.identify(answer, 1, LARGEST)
    with house.admission.permit(), pytest.raises(errors.ChallengeUnknownError):
        house.recognition.identify(answer, 1, LARGEST)


def test_a_challenge_that_was_not_judged_keeps_its_place_and_its_end() -> None:
    clock = Clock()
    challenges = Challenges(False, clock, seconds=30, max_open=2)
    first = challenges.give()
    clock.now += 10
    second = challenges.give()
    for challenge in (first, first, second):
        trial = challenges.begin(challenge.challenge_id)
        assert trial is not None
        trial.withdraw()
    with pytest.raises(errors.BusyError) as busy:
        challenges.give()
    assert busy.value.retry_after_seconds == 20  # until the first expires
    late = challenges.begin(first.challenge_id)
    assert late is not None
    clock.now += 20
    late.withdraw()
    with pytest.raises(errors.ChallengeUnknownError):
        challenges.begin(first.challenge_id)
    assert challenges.begin(second.challenge_id) is not None


def test_another_person_cannot_do_the_turning(open_house: Callable[..., House]) -> None:
    challenges = Challenges(False, Clock())
    house = open_house(liveness=challenges)
    challenge = challenges.give()
    frames = (*obedient(challenge, "eve").frames[:-1], obedient(challenge).frames[-1])
    with pytest.raises(errors.BurstOfSeveralPeopleError):
        house.recognition.identify(Scene(frames, challenge.challenge_id), 1, LARGEST)


def test_a_challenge_expires_and_makes_room() -> None:
    clock = Clock()
    challenges = Challenges(False, clock, seconds=30, max_open=2)
    first = challenges.give()
    challenges.give()
    with pytest.raises(errors.BusyError) as busy:
        challenges.give()
    assert busy.value.retry_after_seconds == 30
    clock.now += 30
    with pytest.raises(errors.ChallengeUnknownError):
        challenges.begin(first.challenge_id)
    challenges.give()
    challenges.give()


def test_challenges_differ() -> None:
    challenges = Challenges(False, Clock())
    given = [challenges.give() for _ in range(100)]
    assert len({challenge.challenge_id for challenge in given}) == 100
    assert len({challenge.instructions for challenge in given}) == 4
