"""Whose data a request is about: company and connection of its path, if they are the caller's."""

from tallystick.companies import companies, connections
from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection
from tallystick.db.pool import Tx
from tallystick.http.endpoint import Call


async def company_of(call: Call, tx: Tx) -> Company:
    """The company named in the path.

    Raises:
        NotFound: unknown, or another client's.
    """
    return await companies.get(
        tx, client_id=call.caller.client_id, company_id=call.path("companyId")
    )


async def connection_of(call: Call, tx: Tx) -> Connection:
    """The connection named in the path.

    Raises:
        NotFound: the company or the connection is unknown, or another client's.
    """
    company = await company_of(call, tx)
    return await connections.get(
        tx,
        client_id=call.caller.client_id,
        company_id=company.id,
        connection_id=call.path("connectionId"),
    )
