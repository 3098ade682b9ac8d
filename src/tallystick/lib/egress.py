"""The one gate for whatever leaves: no request reaches an address inside unless it was allowed.

A name is resolved once, every address it has is judged, and the connection goes to the judged
address itself, so that a name cannot change its mind between the look and the call.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Prefixes under which an IPv4 address hides: mapped, NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo.
# Under the local prefix of NAT64 (RFC 8215) nobody knows where it stands: those are refused.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAME_LENGTH_MAX, _LABEL_MAX = 253, 63


class EgressRefused(httpx.RequestError):
    """The address is not one that may be called; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be called: public addresses, `allowed` networks, and origins the operator named.

    Trusted origins (`https://host:port`) are those in the operator's own settings.
    """

    allowed: tuple[Network, ...] = ()
    trusted_origins: frozenset[str] = field(default_factory=frozenset)

    def permits(self, address: Address) -> bool:
        """Whether a request may go to that address."""
        inner = _inner(address)
        if any(inner in network for network in self.allowed if network.version == inner.version):
            return True
        return inner.is_global and not inner.is_multicast and not inner.is_reserved


def origin(url: str) -> str:
    """Scheme, host and port of a URL, in one spelling; empty for what is no URL."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def complaint(url: str, policy: Policy) -> str | None:
    """Why a URL can never be called, as far as that shows without asking the name service."""
    # urlsplit drops such characters in silence; what is called is what is stored.
    if any(not character.isprintable() or character.isspace() for character in url):
        return "it holds a space or a character that cannot be seen"
    try:
        parts, sent_to = urlsplit(url), httpx.URL(url).raw_host.decode("ascii")
        host, port = parts.hostname, parts.port
    except (ValueError, httpx.InvalidURL):
        return "it is not a valid address"
    if parts.scheme not in {"http", "https"} or not host:
        return "it must start with https:// or http:// and name a host"
    if parts.username or parts.password:
        return "it must not hold a user name or password"
    if port == 0 or not _is_name(sent_to):
        return "it names no host that could be found, or no port"
    return _inside(host.removesuffix("."), policy)


def _inside(host: str, policy: Policy) -> str | None:
    address = _literal(host)
    if address is None and (host == "localhost" or host.endswith(".localhost")):
        address = ipaddress.ip_address("127.0.0.1")
    if address is not None and not policy.permits(address):
        return "it points inside; the operator can allow a network by TALLYSTICK_ALLOWED_NETWORKS"
    return None


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name, by the machine's own resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Gate(httpx.AsyncBaseTransport):
    """A transport that judges each request before it passes it on."""

    def __init__(
        self, policy: Policy, inner: httpx.AsyncBaseTransport, *, resolver: Resolve = resolve
    ) -> None:
        self._policy = policy
        self._inner = inner
        self._resolve = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if origin(str(request.url)) in self._policy.trusted_origins:
            return await self._inner.handle_async_request(request)
        reason = complaint(str(request.url), self._policy)
        if reason:
            raise EgressRefused(f"The address was not called: {reason}.", request=request)
        request = await self._pinned(request)
        return await self._inner.handle_async_request(request)

    async def _pinned(self, request: httpx.Request) -> httpx.Request:
        """The same request, sent to the address that was judged; TLS still checks the name."""
        # In ASCII, as it is sent: the resolver's own idea of other letters may differ from httpx's.
        host, url = request.url.raw_host.decode("ascii"), request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = [ipaddress.ip_address(a.split("%")[0]) for a in await self._resolve(host, port)]
        except (OSError, ValueError) as error:
            raise httpx.ConnectError(f"{host} has no address.", request=request) from error
        if not found or not all(self._policy.permits(address) for address in found):
            raise EgressRefused(f"{host} was not called: it points inside.", request=request)
        return httpx.Request(
            request.method,
            url.copy_with(host=str(found[0])),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


def client(
    policy: Policy, *, timeout_s: float, connections: int = 50, keep_open: bool = False
) -> httpx.AsyncClient:
    """The client for everything that leaves: gated, without redirects, without proxy settings.

    `keep_open` is for policies under which only trusted origins are called: a connection pinned
    by address could otherwise serve another name on its second request.
    """
    kept = connections if keep_open else 0
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=kept)
    gate = Gate(policy, httpx.AsyncHTTPTransport(limits=limits, trust_env=False))
    return httpx.AsyncClient(
        transport=gate, timeout=timeout_s, follow_redirects=False, trust_env=False
    )


def _is_name(host: str) -> bool:
    """Whether the name service could know it (RFC 1035: labels of 1 to 63 bytes); or an address."""
    labels = host.removesuffix(".").split(".")
    return len(host) <= _NAME_LENGTH_MAX and all(0 < len(part) <= _LABEL_MAX for part in labels)


def _literal(host: str) -> Address | None:
    """The address a host name is, in any spelling a socket would take (`127.1`, `0x7f000001`)."""
    try:
        return ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    wrapped = address.ipv4_mapped or address.sixtofour
    if wrapped is None and address.teredo:
        wrapped = address.teredo[1]
    if wrapped is None and address in _NAT64:
        wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return wrapped or address
