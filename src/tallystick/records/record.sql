-- Look-ups by key are written as "the first one from here on" (`id >= .. order by id limit 1`,
-- `parent between p and p order by parent`): only the index meant for it gives that order. A plain
-- `=` leaves the choice among all indexes that start with the company, and for a company that the
-- statistics have not met yet the planner often takes one that reads all of its records.

-- compare --
-- Which of these records are new or other than we hold them; those that are neither give no row.
select i.place::integer as place
from unnest(%(ids)b::text[], %(hashes)b::bytea[], %(raw_hashes)b::bytea[], %(parents)b::text[])
    with ordinality as i (id, hash, raw_hash, parent, place)
left join lateral (
    select id, hash, raw_hash, parent from record
    where company_id = %(company_id)s and connection_id = %(connection_id)s
        and data_type = %(data_type)s and id >= i.id
    order by id limit 1
) r on r.id = i.id
where r.hash is distinct from i.hash
    or i.raw_hash <> coalesce(r.raw_hash, '')
    or i.parent <> coalesce(r.parent, '')

-- lock_company --
-- Whoever stores for a company queues here, before any lock on a record: so two never wait for each
-- other, and changes become visible in the order of their numbers.
update company set changes = changes + %(count)s where id = %(company_id)s returning changes

-- upsert --
-- Hash and time are looked at again: another read may have been faster; but what lies far ahead of
-- us was written down before a clock was set back, and would stay for ever. Where the hash is the same,
-- the record only came from another raw one: then that is noted, and nothing counts as changed.
insert into record (company_id, connection_id, data_type, id, body, fields, hash, raw_hash, parent,
    is_deleted, modified_at, read_at, change)
select %(company_id)s, %(connection_id)s, %(data_type)s, i.id, i.body, i.fields::jsonb, i.hash,
    i.raw_hash, i.parent, i.is_deleted, %(modified_at)s, %(read_at)s,
    %(last_change)s - %(count)s + i.place
from unnest(%(ids)b::text[], %(bodies)b::text[], %(fields)b::text[], %(hashes)b::bytea[],
    %(raw_hashes)b::bytea[], %(parents)b::text[], %(are_deleted)b::boolean[])
    with ordinality as i (id, body, fields, hash, raw_hash, parent, is_deleted, place)
on conflict (company_id, connection_id, data_type, id) do update set
    body = case record.hash when excluded.hash then record.body else excluded.body end,
    fields = excluded.fields,
    hash = excluded.hash,
    raw_hash = case record.hash when excluded.hash
        then coalesce(excluded.raw_hash, record.raw_hash) else excluded.raw_hash end,
    parent = coalesce(excluded.parent, record.parent),
    is_deleted = excluded.is_deleted,
    modified_at = case record.hash when excluded.hash then record.modified_at
        else excluded.modified_at end,
    read_at = excluded.read_at,
    change = case record.hash when excluded.hash then record.change else excluded.change end
where (record.read_at <= excluded.read_at or record.read_at > %(clock_went_back)s)
    and not exists (
        select from record_seen s
        where s.company_id = record.company_id and s.connection_id = record.connection_id
            and s.data_type = record.data_type and s.read_at > excluded.read_at
            and s.read_at <= %(clock_went_back)s and record.id = any (s.ids)
    )
returning xmax = 0 as created, change > %(last_change)s - %(count)s as changed

-- seen --
insert into record_seen (company_id, connection_id, data_type, read_at, ids)
values (%(company_id)s, %(connection_id)s, %(data_type)s, %(read_at)s, %(ids)b::text[])

-- seen_raws --
insert into record_seen (company_id, connection_id, data_type, read_at, ids)
select %(company_id)s, %(connection_id)s, %(data_type)s, %(read_at)s, array_agg(r.id)
from unnest(%(raw_hashes)b::bytea[]) as i (raw_hash)
cross join lateral (
    select id from record
    where company_id = %(company_id)s and connection_id = %(connection_id)s
        and data_type = %(data_type)s and raw_hash between i.raw_hash and i.raw_hash
    order by raw_hash, id
    offset 0
) r
having count(*) > 0

-- forget_seen --
delete from record_seen
where company_id = %(company_id)s and connection_id = %(connection_id)s
    and data_type = %(data_type)s and read_at < %(before)s

-- known_raws --
-- Not known is a raw record one of whose records was meanwhile stored from elsewhere.
select distinct i.raw_hash
from unnest(%(raw_hashes)b::bytea[]) as i (raw_hash)
cross join lateral (
    select parent from record
    where company_id = %(company_id)s and connection_id = %(connection_id)s
        and data_type = %(data_type)s and raw_hash between i.raw_hash and i.raw_hash
    order by raw_hash, id limit 1
) r
where r.parent is null or not exists (
    select from (
        select raw_hash, is_deleted from record
        where company_id = %(company_id)s and connection_id = %(connection_id)s
            and data_type = %(data_type)s and parent between r.parent and r.parent
        order by parent, id
        offset 0
    ) s
    where s.raw_hash is distinct from i.raw_hash and not s.is_deleted
)

-- count_missing --
-- Joined, as here and below `not in` would compare each with each where the list outgrows the memory
-- of one operation: a million records would never end.
with seen as (
    select distinct unnest(s.ids) as id from record_seen s
    where s.company_id = %(company_id)s and s.connection_id = %(connection_id)s
        and s.data_type = %(data_type)s and s.read_at >= %(before)s
)
select count(*) as held,
    count(*) filter (where record.read_at < %(before)s and seen.id is null) as missing
from record left join seen on seen.id = record.id
where record.company_id = %(company_id)s and record.connection_id = %(connection_id)s
    and record.data_type = %(data_type)s and not record.is_deleted

-- delete_missing --
-- Needs lock_company first. The hash is emptied, so that a record that comes back differs.
with seen as (
    select distinct unnest(s.ids) as id from record_seen s
    where s.company_id = %(company_id)s and s.connection_id = %(connection_id)s
        and s.data_type = %(data_type)s and s.read_at >= %(before)s
), missing as (
    select record.ctid, row_number() over (order by record.id) as place
    from record left join seen on seen.id = record.id
    where record.company_id = %(company_id)s and record.connection_id = %(connection_id)s
        and record.data_type = %(data_type)s and not record.is_deleted
        and record.read_at < %(before)s and seen.id is null
), deleted as (
    update record r
    set is_deleted = true, hash = '', raw_hash = null, read_at = %(before)s,
        modified_at = %(modified_at)s, body = %(lead)s || substr(r.body, %(lead_length)s + 1),
        change = c.changes + m.place
    from missing m, company c
    where r.ctid = m.ctid and c.id = %(company_id)s
), moved as (
    update company set changes = changes + (select count(*) from missing)
    where id = %(company_id)s
)
select count(*) as deleted from missing

-- delete_vanished --
-- Needs lock_company first. As delete_missing, for what is gone from inside its parent.
with missing as (
    select r.ctid, row_number() over (order by r.id) as place
    from unnest(%(parents)b::text[]) as p (parent)
    cross join lateral (
        select ctid, id, is_deleted, read_at from record
        where company_id = %(company_id)s and connection_id = %(connection_id)s
            and data_type = %(data_type)s and parent between p.parent and p.parent
        order by parent, id
        offset 0
    ) r
    where not r.is_deleted and r.read_at <= %(read_at)s and r.id <> all (%(ids)b::text[])
        and not exists (
            select from record_seen s
            where s.company_id = %(company_id)s and s.connection_id = %(connection_id)s
                and s.data_type = %(data_type)s and s.read_at > %(read_at)s
                and r.id = any (s.ids)
        )
), deleted as (
    update record r
    set is_deleted = true, hash = '', raw_hash = null, read_at = %(read_at)s,
        modified_at = %(modified_at)s, body = %(lead)s || substr(r.body, %(lead_length)s + 1),
        change = c.changes + m.place
    from missing m, company c
    where r.ctid = m.ctid and c.id = %(company_id)s
), moved as (
    update company set changes = changes + (select count(*) from missing)
    where id = %(company_id)s
)
select count(*) as deleted from missing

-- get --
select body from record
where company_id = %(company_id)s and connection_id = %(connection_id)s
    and data_type = %(data_type)s and id = %(id)s

-- home --
-- Starts the page of a client's company: the connection whose records are shown. The newest one that
-- ever read the type to its end, or the one asked for if it did. In the page, from_home stands for it.
with home as materialized (
    select k.id
    from company c
    join connection k on k.company_id = c.id
    where c.id = %(company_id)s and c.client_id = %(client_id)s
        and k.id = coalesce(%(asked_id)s, k.id)
        and exists (
            select from dataset d
            where d.company_id = k.company_id and d.connection_id = k.id
                and d.data_type = %(data_type)s and d.status = 'Complete'
        )
    order by k.created_at desc, k.id
    limit 1
)

-- from_home --
(select id from home)

-- page --
-- A page near the beginning: what is skipped before it is little.
select body, (
    select count(*) from record
    where company_id = %(company_id)s and connection_id = {connection}
        and data_type = %(data_type)s and {where}
) as total
from record
where company_id = %(company_id)s and connection_id = {connection}
    and data_type = %(data_type)s and {where}
order by {order} limit %(limit)s offset %(offset)s

-- page_deep --
-- The ids come from an index where there is one for the order; bodies are fetched for one page only.
select r.body, (
    select count(*) from record
    where company_id = %(company_id)s and connection_id = {connection}
        and data_type = %(data_type)s and {where}
) as total
from (
    select id, row_number() over () as place
    from (
        select id from record
        where company_id = %(company_id)s and connection_id = {connection}
            and data_type = %(data_type)s and {where}
        order by {order} limit %(limit)s offset %(offset)s
    ) asked
) p
cross join lateral (
    select body from record
    where company_id = %(company_id)s and connection_id = {connection}
        and data_type = %(data_type)s and id >= p.id
    order by id limit 1
) r
order by p.place

-- count --
select count(*) as total from record
where company_id = %(company_id)s and connection_id = {connection}
    and data_type = %(data_type)s and {where}
