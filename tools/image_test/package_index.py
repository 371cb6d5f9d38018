"""pip's settings of this machine as build arguments; folders among them are served over HTTP.

A build sees no folder of the machine. While the build shares the machine's network, a server on
the loopback shows it what pip finds in folders here.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: pip's options that say where packages come from: each is a build argument of the Dockerfile.
LISTS = ("index-url", "extra-index-url", "find-links")
CERTIFICATES = "cert"

Serve = Callable[[Path], str]


def read_settings(listing: str) -> dict[str, str]:
    """Return pip's options from what ``pip config list`` prints; the environment's come first."""
    options: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        key, _, quoted = line.partition("=")
        scope, _, name = key.rpartition(".")
        if scope in {"global", "install", ":env:"} and quoted:
            options[name] = str(ast.literal_eval(quoted))
    return options


def build_arguments(options: Mapping[str, str], serve: Serve) -> dict[str, str]:
    """Return the Dockerfile's ``PIP_`` arguments; ``serve`` gives a folder's address."""
    arguments = {
        argument_name(name): " ".join(_address(each, serve) for each in options[name].split())
        for name in LISTS
        if options.get(name)
    }
    if options.get(CERTIFICATES):  # its content goes into the stand-in, to the same place
        arguments[argument_name(CERTIFICATES)] = options[CERTIFICATES]
    return arguments


def argument_name(name: str) -> str:
    """Return the name of the variable, and build argument, of an option of pip."""
    return f"PIP_{name.upper().replace('-', '_')}"


def _address(place: str, serve: Serve) -> str:
    """Return the address under which a build finds a place that may be a folder of this machine.

    Links of an index in files lead out of it, to files beside it: its parent is what is served.
    """
    if place.startswith("file:"):
        index = Path(unquote(urlsplit(place).path))
        return f"{serve(index.parent)}/{index.name}"
    return f"{serve(Path(place))}/" if Path(place).is_dir() else place


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Say nothing."""


@contextmanager
def served_folders() -> Iterator[Serve]:
    """Give a function that serves a folder on the loopback until the block ends."""
    with ExitStack() as stack:

        def serve(folder: Path) -> str:
            handler = partial(_Quiet, directory=str(folder))
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield serve
