from standardwebhooks.webhooks import Webhook

from tallystick.webhooks.deliveries import RETRY_DELAYS_S
from tallystick.webhooks.posting import signature

# Published by Svix as the vector of the Standard Webhooks scheme.
_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_BODY = b'{"test": 2432232314}'


def test_the_published_vector_is_reproduced() -> None:
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    actual = signature(
        secret=_SECRET,
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=_BODY,
    )

    assert expected == actual


def test_the_official_library_accepts_what_we_sign() -> None:
    import time

    now = int(time.time())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(now),
        "webhook-signature": signature(
            secret=_SECRET, message_id="msg_1", timestamp=now, body=_BODY
        ),
    }

    assert Webhook(_SECRET).verify(_BODY.decode(), headers) == {"test": 2432232314}


def test_eight_attempts_stretch_over_28_hours() -> None:
    assert len(RETRY_DELAYS_S) + 1 == 8
    assert 27.5 * 3600 < sum(RETRY_DELAYS_S) < 28 * 3600
