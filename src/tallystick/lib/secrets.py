"""Secrets: sealed where they must be read again, digested where they are only compared.

Sealing is AES-256-GCM with a random 96-bit nonce; `context` is authenticated but not stored, so a
sealed value that was moved to another row does not open there.
"""

import base64
import binascii
import hashlib
import hmac
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class WrongKey(ValueError):
    """A sealed value does not open with this key, or not in this context."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals and opens with one key; other secrets are derived from it by purpose."""

    key: bytes

    def __repr__(self) -> str:
        return "Vault(***)"

    def seal(self, plain: bytes, *, context: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + AESGCM(self.key).encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """The sealed bytes.

        Raises:
            WrongKey: wrong key or context, or the value was altered.
        """
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _VERSION:
                raise WrongKey("The sealed value is of an unknown version.")
            return AESGCM(self.key).decrypt(nonce, body, context.encode())
        except InvalidTag as error:
            raise WrongKey("The sealed value does not open with this key.") from error

    def derived(self, purpose: str) -> bytes:
        """32 bytes that only this key and this purpose give."""
        return HKDF(hashes.SHA256(), _KEY_BYTES, salt=None, info=purpose.encode()).derive(self.key)


def new_key() -> str:
    """A fresh encryption key as text (URL-safe Base64 of 32 random bytes)."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


def vault(key_text: str) -> Vault:
    """The vault of a key as `new_key` writes it.

    Raises:
        ValueError: not the Base64 of 32 bytes; the message does not repeat the text.
    """
    try:
        key = base64.urlsafe_b64decode(key_text.strip().encode())
    except (binascii.Error, ValueError) as error:
        raise ValueError("The encryption key is not Base64.") from error
    if len(key) != _KEY_BYTES:
        raise ValueError(f"The encryption key has {len(key)} bytes, not {_KEY_BYTES}.")
    return Vault(key)


def new_token() -> str:
    """256 random bits as text fit for a URL and a header."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode().rstrip("=")


def digest(secret: str | bytes) -> bytes:
    """What is stored of a secret with full entropy that is only ever compared (SHA-256)."""
    return hashlib.sha256(secret.encode() if isinstance(secret, str) else secret).digest()


def same(first: bytes | str, second: bytes | str) -> bool:
    """Comparison in constant time."""
    one, two = (part.encode() if isinstance(part, str) else part for part in (first, second))
    return hmac.compare_digest(one, two)
