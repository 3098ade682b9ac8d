"""Xero: the identity card of the platform."""

from tallystick.connectors.contract import Connector, Limits
from tallystick.connectors.xero.attachments import ATTACHMENTS
from tallystick.connectors.xero.auth import IDENTITY_URL, XERO_OAUTH
from tallystick.connectors.xero.books import XeroBooks, read_books
from tallystick.connectors.xero.client import API_URL, XeroClient
from tallystick.connectors.xero.reads import READS
from tallystick.connectors.xero.writes import WRITES

XERO: Connector[XeroClient, XeroBooks] = Connector(
    key="gbol",
    name="Xero",
    oauth=XERO_OAUTH,
    # Per organisation and app: https://developer.xero.com/documentation/guides/oauth2/limits/
    limits=Limits(per_minute=60, per_day=5000, concurrent=5),
    client=XeroClient,
    books=read_books,
    reads=READS,
    writes=WRITES,
    attachments=ATTACHMENTS,
    origins=(API_URL, IDENTITY_URL),
)
