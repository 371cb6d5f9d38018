"""The settings of OpenCV that hold for the whole process, made in one place."""

from __future__ import annotations

import cv2

_LOG_ERRORS_ONLY = 2


def configure_opencv(threads: int = 1) -> None:
    """Set how many threads one OpenCV call may use, and keep its warnings from standard error.

    One thread serves a service best that looks at several photos at a time: OpenCV's pool is
    shared by all callers, and its pictures here are small.
    """
    cv2.setNumThreads(threads)
    cv2.utils.logging.setLogLevel(_LOG_ERRORS_ONLY)
