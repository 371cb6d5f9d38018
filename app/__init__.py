"""The running service: enrolls employees and says who stands before a camera, over HTTP."""
