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

-- page --
-- Some of a client's companies; the parts in braces come from the query language.
select id, client_id, name, description, tags, created_by, created_at, last_sync_at
from company
where client_id = %(client_id)s and {where} and {tagged}
order by {order}
limit %(limit)s offset %(offset)s;

-- count --
-- How many companies a page is one of.
select count(*) as number from company where client_id = %(client_id)s and {where} and {tagged};

-- tag_equals --
-- A condition on one tag; names of tags count their case, values do not.
coalesce(lower(tags ->> %({n}name)s) = lower(%({n}value)s), false)

-- tag_differs --
-- The same, the other way round: true also without the tag.
lower(tags ->> %({n}name)s) is distinct from lower(%({n}value)s)

-- tag_contains --
-- A condition on a part of a tag's value.
coalesce(strpos(lower(tags ->> %({n}name)s), lower(%({n}value)s)) > 0, false)
