"""What passes between us and a customer's browser beside the pages: a cookie, headers, forms."""

import asyncio
import re
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import TooLarge
from tallystick.lib.secrets import new_token

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_FORM_BYTES_MAX = 16 * 1024
_FORM_FIELDS_MAX = 20
_FORM_WITHIN_S = 30.0


class Visitors:
    """Knows a browser again by a cookie; behind https the cookie is bound to host and transport."""

    def __init__(self, *, public_url: str) -> None:
        self._secure = public_url.startswith("https://")
        self._name = "__Host-tallystick-link" if self._secure else "tallystick-link"

    def secret(self, request: Request) -> str:
        """The browser's secret; empty where it has none."""
        held = request.cookies.get(self._name, "")
        return held if _TOKEN.fullmatch(held) else ""

    def greeted(self, request: Request) -> str:
        """The browser's secret, a new one at its first visit."""
        return self.secret(request) or new_token()

    def remember(self, response: Response, secret: str) -> Response:
        """Let the browser keep its secret until it is closed.

        Lax, not Strict: the customer comes back from the platform by a link of theirs.
        """
        response.set_cookie(
            self._name, secret, path="/", secure=self._secure, httponly=True, samesite="lax"
        )
        return response

    def guard(self, response: Response) -> Response:
        """No script, no frame, no trace in a cache or in a referrer."""
        # Browsers judge every hop that follows a form: a platform's sign-in has hops of its own,
        # and where the client wants its customers back is known only at the end.
        response.headers.update(
            {
                "Content-Security-Policy": (
                    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
                    "form-action 'self' https: http:; frame-ancestors 'none'"
                ),
                "X-Frame-Options": "DENY",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "no-referrer",
                "Cache-Control": "no-store",
            }
        )
        return response


async def form(request: Request) -> dict[str, str]:
    """The fields of a posted form.

    Raises:
        TooLarge: no form of ours is that long.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_FORM_WITHIN_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _FORM_BYTES_MAX:
                    raise TooLarge("The form is too long.")
    except TimeoutError as error:
        raise TooLarge("The form took too long.") from error
    try:
        text = body.decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_FORM_FIELDS_MAX))
    except ValueError as error:
        raise TooLarge("The form is not one of these pages'.") from error
