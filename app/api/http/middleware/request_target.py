"""One spelling of what a request asks for, before anything looks at it."""

from __future__ import annotations

from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class RequestTargetMiddleware:
    """Serves behind a path prefix, with a slash at the end, and HEAD wherever there is a GET.

    A proxy may take ``root_path`` off or leave it on: either way the application sees it, as ASGI
    wants, so that links in answers lead back through the proxy. A slash at the end means nothing; a
    redirect would lose the bodies of most clients. The server leaves out the body of HEAD. A slash
    that is written %2F parts no segments: it is of an id, which may hold neither / nor %.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app = app
        self._root_path = root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = self._full_path(_with_literal_slashes(scope))
        rewritten = {**scope, "path": path, "raw_path": quote(path).encode()}
        if self._root_path:
            rewritten["root_path"] = self._root_path
        if scope["method"] != "HEAD":
            await self._app(rewritten, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app(rewritten | {"method": "GET"}, receive, send_without_body)

    def _full_path(self, path: str) -> str:
        root = self._root_path
        route = path
        if root and (path == root or path.startswith(f"{root}/")):
            route = path[len(root) :] or "/"
        if len(route) > 1 and route.endswith("/"):
            route = route[:-1]
        return root + route


def _with_literal_slashes(scope: Scope) -> str:
    """Return the decoded path, but for %2F, which the server makes a slash like any other."""
    path: str = scope["path"]
    raw = scope.get("raw_path", b"").decode("ascii", "replace")
    if unquote(raw) != path:  # something before this changed the path alone
        return path
    return "/".join(unquote(segment).replace("/", "%2F") for segment in raw.split("/"))
