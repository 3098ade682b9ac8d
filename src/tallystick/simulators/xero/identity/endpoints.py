"""The identity server's own addresses: authorize, token, revocation, connections."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from tallystick.simulators.store import Tx
from tallystick.simulators.xero.errors import unauthorised
from tallystick.simulators.xero.identity.consent import consent_page
from tallystick.simulators.xero.identity.tokens import Grant, InvalidGrant, Tokens
from tallystick.simulators.xero.wire import decode

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def respond(
    request: Request, body: bytes, *, tx: Tx, tokens: Tokens, client: tuple[str, str]
) -> Response:
    """Answer a request below /identity/connect; `client` is the app's id and secret."""
    path = request.url.path.rsplit("/", 1)[-1]
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    if path == "authorize":
        return _authorize(request, form, tx=tx, tokens=tokens, client_id=client[0])
    if request.method != "POST" or path not in ("token", "revocation"):
        return PlainTextResponse("Not found", status_code=404)
    if not _knows(request, form, client):
        return JSONResponse({"error": "invalid_client"}, status_code=400)
    if path == "revocation":
        tokens.revoke(form.get("token", ""))
        return Response(status_code=200)
    return _token(form, tokens)


def connections(request: Request, tokens: Tokens) -> Response:
    """GET lists, DELETE disconnects; the list holds whatever this user ever connected."""
    bearer(request.headers, tokens)
    rest = request.url.path.rstrip("/").lower().rsplit("/connections", 1)[-1].strip("/")
    if request.method == "GET" and not rest:
        return JSONResponse(tokens.connections(request.query_params.get("authEventId")))
    if request.method == "DELETE" and rest:
        return Response(status_code=204 if tokens.disconnect(rest) else 404)
    return PlainTextResponse("Not found", status_code=404)


def bearer(headers: Mapping[str, str], tokens: Tokens) -> Grant:
    """The grant behind the Authorization header, or the refusal Xero answers."""
    token = bearer_token(headers)
    grant = tokens.grant(token) if token else None
    if grant is None:
        raise unauthorised("AuthenticationUnsuccessful")
    if grant.is_expired:
        raise unauthorised("TokenExpired: token expired")
    return grant


def bearer_token(headers: Mapping[str, str]) -> str:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _authorize(
    request: Request, form: dict[str, str], *, tx: Tx, tokens: Tokens, client_id: str
) -> Response:
    asked = dict(request.query_params) | {k: v for k, v in form.items() if k != "decision"}
    if wrong := _why_not(asked, client_id):
        return PlainTextResponse(wrong, status_code=400)
    rows = tx.all("organisations")
    organisations = {row["id"]: decode(row["body"])["Name"] for row in rows}
    if request.method != "POST":
        return HTMLResponse(consent_page(asked, organisations))
    back = {"state": asked["state"]} if "state" in asked else {}
    if form.get("decision") != "allow" or form.get("organisation") not in organisations:
        return _redirect(asked["redirect_uri"], {"error": "access_denied", **back})
    code = tokens.allow(
        tenant=form["organisation"],
        redirect_uri=asked["redirect_uri"],
        scope=asked.get("scope", ""),
    )
    return _redirect(asked["redirect_uri"], {"code": code, "scope": asked.get("scope", ""), **back})


def _why_not(asked: Mapping[str, str], client_id: str) -> str:
    if asked.get("client_id") != client_id:
        return "unauthorized_client: this client_id is not known"
    if asked.get("response_type") != "code":
        return "unsupported_response_type: only code is supported"
    if urlsplit(asked.get("redirect_uri", "")).hostname not in _LOOPBACK:
        return "invalid_request: the redirect_uri must lead back to this computer"
    return ""


def _redirect(uri: str, query: dict[str, str]) -> Response:
    joint = "&" if urlsplit(uri).query else "?"
    return Response(status_code=302, headers={"location": f"{uri}{joint}{urlencode(query)}"})


def _token(form: dict[str, str], tokens: Tokens) -> Response:
    kind = form.get("grant_type")
    try:
        if kind == "authorization_code":
            uri = form.get("redirect_uri", "")
            return JSONResponse(tokens.exchange(code=form.get("code", ""), redirect_uri=uri))
        if kind == "refresh_token":
            return JSONResponse(tokens.refresh(form.get("refresh_token", "")))
    except InvalidGrant:
        return JSONResponse({"error": "invalid_grant"}, status_code=400)
    return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)


def _knows(request: Request, form: dict[str, str], client: tuple[str, str]) -> bool:
    """Basic authentication, or the same pair in the form."""
    sent = (form.get("client_id", ""), form.get("client_secret", ""))
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            id_, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        sent = (id_, secret)
    return all(
        hmac.compare_digest(mine.encode(), theirs.encode())
        for mine, theirs in zip(client, sent, strict=True)
    )
