-- create --
-- A new company.
insert into company (id, client_id, name, description, tags, created_by, created_at)
values (
    %(id)s, %(client_id)s, %(name)s, %(description)s, %(tags)s, %(created_by)s, %(now)s
)
returning id, client_id, name, description, tags, created_by, created_at, last_sync_at;

-- get --
-- One company of a client.
select id, client_id, name, description, tags, created_by, created_at, last_sync_at
from company
where id = %(id)s and client_id = %(client_id)s;

-- find --
-- A company by id alone, for jobs.
select id, client_id, name, description, tags, created_by, created_at, last_sync_at
from company
where id = %(id)s;

-- replace --
-- All that a caller may set, set.
update company
set name = %(name)s, description = %(description)s, tags = %(tags)s
where id = %(id)s and client_id = %(client_id)s
returning id, client_id, name, description, tags, created_by, created_at, last_sync_at;

-- update --
-- What is given, set; null leaves a column as it is.
update company
set name = coalesce(%(name)s, name),
    description = coalesce(%(description)s, description),
    tags = coalesce(%(tags)s, tags)
where id = %(id)s and client_id = %(client_id)s
returning id, client_id, name, description, tags, created_by, created_at, last_sync_at;

-- delete --
-- The company and, by its references, everything that was kept for it.
delete from company
where id = %(id)s and client_id = %(client_id)s
returning id, client_id, name, description, tags, created_by, created_at, last_sync_at;

-- touch_company --
-- The company was read from just now.
update company
set last_sync_at = greatest(last_sync_at, %(at)s)
where id = %(id)s;

-- touch_connection --
-- The connection was read from just now.
update connection
set last_sync_at = greatest(last_sync_at, %(at)s)
where company_id = %(id)s and id = %(connection_id)s;
