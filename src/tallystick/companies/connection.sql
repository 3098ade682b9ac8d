-- create --
-- A connection somebody is about to authorise.
insert into connection (company_id, id, client_id, platform_key, status, simulated, created_at)
values (
    %(company_id)s, %(id)s, %(client_id)s, %(platform_key)s, 'PendingAuth', %(simulated)s, %(now)s
)
returning *;

-- get --
-- One connection of a client's company.
select * from connection
where company_id = %(company_id)s and id = %(id)s and client_id = %(client_id)s;

-- find --
-- A connection by id alone, for jobs.
select * from connection where id = %(id)s;

-- of_companies --
-- All connections of some companies, newest first.
select * from connection
where company_id = any(%(company_ids)s::uuid[])
order by created_at desc, id;

-- lock_company --
-- What is done to the connections of one company is done one after another.
select id from company where id = %(company_id)s for no key update;

-- count --
-- How many connections a company has, whatever their status.
select count(*) as number from connection where company_id = %(company_id)s;

-- rival --
-- Another linked connection of the company, unless its client allows several.
select other.id
from connection other
join client on client.id = other.client_id
where other.company_id = %(company_id)s
  and other.id <> %(id)s
  and other.status = 'Linked'
  and client.settings -> 'severalAccountingConnections' is distinct from 'true'::jsonb
limit 1;

-- linked --
-- The customer let us in; what had gone wrong before is resolved.
with before as (
    select status from connection
    where company_id = %(company_id)s and id = %(id)s
    for update
)
update connection
set status = 'Linked',
    base_url = %(base_url)s,
    simulated = %(simulated)s,
    organisation_id = %(organisation_id)s,
    organisation_name = %(organisation_name)s,
    grant_id = %(grant_id)s,
    linked_at = %(now)s,
    errors = coalesce(
        (
            select jsonb_agg(
                case
                    when fault ->> 'status' = 'Active' then fault || %(resolution)s
                    else fault
                end
                order by place
            )
            from jsonb_array_elements(errors) with ordinality as listed (fault, place)
        ),
        '[]'
    )
from before
where company_id = %(company_id)s and id = %(id)s
  and before.status in ('PendingAuth', 'Linked', 'Unlinked', 'Deauthorized')
returning connection.*, before.status as was;

-- failed --
-- The customer did not let us in; the newest 20 reasons are kept, newest first.
update connection
set errors = (
        select jsonb_agg(fault order by place)
        from jsonb_array_elements(%(fault)s || errors) with ordinality as listed (fault, place)
        where place <= 20
    )
where company_id = %(company_id)s and id = %(id)s
  and status in ('PendingAuth', 'Unlinked', 'Deauthorized')
returning *;

-- unlinked --
-- Our side severed it.
update connection
set status = 'Unlinked'
where company_id = %(company_id)s and id = %(id)s
  and status in ('Linked')
returning *;

-- deauthorised --
-- Their side revoked it, or the permission ran out.
update connection
set status = 'Deauthorized',
    errors = (
        select jsonb_agg(fault order by place)
        from jsonb_array_elements(%(fault)s || errors) with ordinality as listed (fault, place)
        where place <= 20
    )
where company_id = %(company_id)s and id = %(id)s
  and status in ('Linked')
returning *;

-- remove_credential --
-- Without tokens nobody can use the connection, whatever else goes wrong.
delete from credential where connection_id = %(id)s;

-- shares_grant --
-- Whether another linked connection lives off the same grant of the platform.
select exists (
    select from connection
    where grant_id = %(grant_id)s and id <> %(id)s and status = 'Linked'
) as shared;

-- delete --
-- The connection; its credential, limits and visits go with it by reference.
delete from connection
where company_id = %(company_id)s and id = %(id)s
returning *;

-- delete_datasets --
-- Its reads.
delete from dataset where company_id = %(company_id)s and connection_id = %(id)s;

-- delete_batches --
-- And what waited for them.
delete from read_batch where company_id = %(company_id)s and connection_id = %(id)s;

-- delete_records --
-- And what they brought.
delete from record where company_id = %(company_id)s and connection_id = %(id)s;
