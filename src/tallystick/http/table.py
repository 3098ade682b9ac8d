"""Every endpoint there is, in the order of the documentation."""

from tallystick.http import (
    attachments,
    companies,
    connections,
    cors,
    data,
    datasets,
    health,
    integrations,
    keys,
    openapi,
    profile,
    sync_settings,
    webhooks,
    writes,
)
from tallystick.http.endpoint import Endpoint

_DOCUMENTED: tuple[Endpoint, ...] = (
    *companies.ENDPOINTS,
    *connections.ENDPOINTS,
    *datasets.ENDPOINTS,
    *data.ENDPOINTS,
    *writes.ENDPOINTS,
    *attachments.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *integrations.ENDPOINTS,
    *profile.ENDPOINTS,
    *sync_settings.ENDPOINTS,
    *keys.ENDPOINTS,
    *cors.ENDPOINTS,
    *health.ENDPOINTS,
)

ENDPOINTS: tuple[Endpoint, ...] = (*_DOCUMENTED, openapi.endpoint(_DOCUMENTED))
"""The table that gives routes, documentation and status codes."""
