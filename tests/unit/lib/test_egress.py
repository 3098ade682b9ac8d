import ipaddress
from collections.abc import Sequence

import httpx
import pytest

from tallystick.lib.egress import EgressRefused, Gate, Policy, complaint

_INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://localhost/",
    "http://api.localhost/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://0.0.0.0/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[64:ff9b:1:7f00:0:100:808:808]/",
    "http://[::ffff:0:7f00:1]/",
    "http://[::7f00:1]/",
    "http://127.0.0.1./",
    "http://１２７.0.0.1/",
]
_NOT_ADDRESSES = [
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "//example.com",
    "example.com",
    "http://",
    "http://user:secret@example.com/",
    "http://example.com:99999/",
    "http://example.com:0/",
    "http://exam\nple.com/",
    "http://example.com/a\tb",
    "http://a\0b.example.com/",
    "http://example.com\u200b/",
    "http://example..com/",
    f"http://{'a' * 64}.example.com/",
    f"http://{'a.' * 130}com/",
    "http://[::1",
]


class _Sent(httpx.AsyncBaseTransport):
    """A far end that remembers what reached it."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(204, request=request)


def _gate(found: Sequence[str], policy: Policy | None = None) -> tuple[httpx.AsyncClient, _Sent]:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        return found

    sent = _Sent()
    gate = Gate(policy or Policy(), sent, resolver=resolver)
    return httpx.AsyncClient(transport=gate), sent


@pytest.mark.parametrize("url", [*_INSIDE, *_NOT_ADDRESSES])
async def test_an_address_inside_is_refused_before_anything_is_sent(url: str) -> None:
    http, sent = _gate(["93.184.215.14"])

    assert complaint(url, Policy())
    with pytest.raises((EgressRefused, httpx.InvalidURL, httpx.UnsupportedProtocol)):
        await http.post(url)
    assert sent.requests == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:10.0.0.1"])
async def test_a_name_that_points_inside_is_refused(address: str) -> None:
    http, sent = _gate(["93.184.215.14", address])

    with pytest.raises(EgressRefused):
        await http.post("https://rebound.example.com/hook")
    assert sent.requests == []


async def test_the_judged_address_is_the_one_that_is_called() -> None:
    http, sent = _gate(["93.184.215.14"])

    await http.post("https://hooks.example.com/a?b=c")

    request = sent.requests[0]
    assert request.url.host == "93.184.215.14"
    assert request.headers["host"] == "hooks.example.com"
    assert request.extensions["sni_hostname"] == "hooks.example.com"


async def test_the_operator_can_allow_a_network() -> None:
    policy = Policy(allowed=(ipaddress.ip_network("127.0.0.0/8"),))
    http, sent = _gate(["127.0.0.1"], policy)

    await http.post("http://localhost:9000/hook")

    assert len(sent.requests) == 1
    assert complaint("http://10.0.0.1/", policy)


async def test_an_origin_of_the_settings_is_called_as_it_stands() -> None:
    policy = Policy(trusted_origins=frozenset({"http://127.0.0.1:8500"}))
    http, sent = _gate([], policy)

    await http.get("http://127.0.0.1:8500/xero/connections")

    assert sent.requests[0].url.host == "127.0.0.1"
    with pytest.raises(EgressRefused):
        await http.get("http://127.0.0.1:8501/")


def test_an_address_is_what_was_written_or_refused() -> None:
    """A space would be sent as something else."""
    assert complaint("http://example.com/ b", Policy())
    assert complaint("http://example.com/%20b", Policy()) is None


async def test_a_name_the_resolver_chokes_on_is_no_address() -> None:
    async def resolver(_host: str, _port: int) -> Sequence[str]:
        raise UnicodeError("label too long")

    http = httpx.AsyncClient(transport=Gate(Policy(), _Sent(), resolver=resolver))

    with pytest.raises(httpx.ConnectError):
        await http.get("https://hooks.example.com/")


async def test_names_in_other_scripts_are_called_as_they_are_sent() -> None:
    http, sent = _gate(["2606:4700::1"])

    assert complaint("https://bücher.example/hook", Policy()) is None
    await http.post("https://bücher.example/hook")

    assert sent.requests[0].url.host == "2606:4700::1"
    assert sent.requests[0].extensions["sni_hostname"] == "xn--bcher-kva.example"
