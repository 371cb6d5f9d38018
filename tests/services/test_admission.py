from __future__ import annotations

import contextlib

import pytest

from app.domain.errors import BusyError
from app.services.admission import Admission


def test_what_finds_no_place_is_refused_at_once() -> None:
    admission = Admission(capacity=1, waiting_limit=1, timeout_seconds=60.0)
    with admission.slot(), admission.slot():
        with pytest.raises(BusyError) as raised, admission.slot():
            pass
        assert raised.value.retry_after_seconds >= 1
    with admission.slot(), admission.slot():
        pass


def test_places_hold_a_bounded_number_of_bytes() -> None:
    admission = Admission(capacity=8, waiting_limit=0, timeout_seconds=1.0, max_bytes=100)
    with admission.slot() as first, contextlib.ExitStack() as stack:
        second = stack.enter_context(admission.slot())
        first.hold(60)
        second.hold(40)
        second.hold(10)  # never fewer than before
        with pytest.raises(BusyError):
            first.hold(61)
        first.hold(60)
        stack.close()
        first.hold(100)
    with admission.slot() as again:
        again.hold(100)


def test_one_request_that_is_alone_is_never_too_large() -> None:
    admission = Admission(capacity=2, waiting_limit=0, timeout_seconds=1.0, max_bytes=100)
    with admission.slot() as alone:
        alone.hold(1_000)
        with admission.slot() as other, pytest.raises(BusyError):
            other.hold(1)


def test_waiting_for_a_turn_ends_after_a_while() -> None:
    admission = Admission(capacity=1, waiting_limit=1, timeout_seconds=0.05)
    with admission.permit(), pytest.raises(BusyError), admission.permit():
        pass
    with admission.permit():
        pass
