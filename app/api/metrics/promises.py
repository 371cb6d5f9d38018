"""The promise in force as metrics: computed at each scrape, for it moves with the gallery.

Not the threshold itself: metrics need no key, and nobody outside has to know what to reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Gauge

from app.domain.policy import Promise, PromiseFor

#: Gives the promise in force for each kind of question.
Promises = Mapping[str, Callable[[], Promise]]

_GAUGES: dict[str, tuple[str, Callable[[Promise], float]]] = {
    "facegate_policy_promised_rate": (
        "False acceptances promised now under FACEGATE_PROMISE_FOR, a share, by kind of question.",
        lambda promise: promise.promised_rate,
    ),
    "facegate_policy_worst_group_rate": (
        "False acceptances to expect now in a staff of the worst group, a share.",
        lambda promise: promise.worst_group_rate,
    ),
    "facegate_policy_promise_to_mixed": (
        "Whether the promise is to strangers of all groups mixed (1) or to the worst group (0).",
        lambda promise: float(promise.promise_for is PromiseFor.MIXED),
    ),
    "facegate_policy_promise_kept": (
        "Whether the stated risk can be promised (1) or the gallery is too large for it (0).",
        lambda promise: float(promise.kept),
    ),
}


def expose_promises(promises: Promises, registry: CollectorRegistry) -> None:
    """Add the promises' gauges to a registry."""
    for name, (meaning, value) in _GAUGES.items():
        gauge = Gauge(name, meaning, ["question"], registry=registry)
        for question, promise in promises.items():
            gauge.labels(question).set_function(_read(value, promise))


def _read(value: Callable[[Promise], float], promise: Callable[[], Promise]) -> Callable[[], float]:
    return lambda: value(promise())
