-- store --
-- A new pair takes the place of the one before; the version tells a re-link from what was there.
insert into credential (connection_id, sealed, expires_at, version, updated_at)
values (%(connection_id)s, %(sealed)s, %(expires_at)s, 1, %(now)s)
on conflict (connection_id) do update
set sealed = excluded.sealed, expires_at = excluded.expires_at,
    version = credential.version + 1, updated_at = excluded.updated_at

-- load --
select sealed, expires_at, version from credential where connection_id = %(connection_id)s

-- hold --
-- Only one renews; whoever waited here reads what the other stored.
select sealed, expires_at, version from credential
where connection_id = %(connection_id)s for update

-- remove --
delete from credential where connection_id = %(connection_id)s

-- version_of_held_connection --
-- The connection's row first, as every move of a connection takes it: no two can wait crosswise.
select credential.version from connection
left join credential on credential.connection_id = connection.id
where connection.id = %(connection_id)s for no key update of connection
