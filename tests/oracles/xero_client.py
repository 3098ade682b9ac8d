"""Xero's own Python client (xero-python), pointed at a running server of ours."""

from __future__ import annotations

from typing import Any

import urllib3
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.identity import IdentityApi

# xero-python carries no types.
Client = Any


def accounting_api(base_url: str, access_token: str) -> Client:
    """Args: base_url ends in /api.xro/2.0."""
    return AccountingApi(_client(access_token), base_url=base_url.rstrip("/"))


def identity_api(base_url: str, access_token: str) -> Client:
    """Args: base_url is what stands before /Connections, which this client writes so."""
    return IdentityApi(_client(access_token), base_url=base_url.rstrip("/"))


def _client(access_token: str) -> Client:
    # The class hands out copies of one default, so a token given to its constructor would be
    # the first caller's for ever.
    configuration = Configuration()
    configuration.oauth2_token = OAuth2Token()
    client = ApiClient(
        configuration,
        oauth2_token_getter=lambda: {
            "access_token": access_token,
            "expires_in": 1800,
            "scope": [],
            "token_type": "Bearer",
        },
        oauth2_token_saver=lambda _: None,
    )
    # A retry of the transport would hide what a server did with the first attempt.
    client.rest_client.pool_manager = urllib3.PoolManager(retries=False)
    return client
