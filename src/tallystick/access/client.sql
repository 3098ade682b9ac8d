-- create --
-- A new tenant.
insert into client (id, name, profile, created_at)
values (%(id)s, %(name)s, '{}', %(now)s)
returning id, name, profile, settings, created_at;

-- get --
-- One tenant.
select id, name, profile, settings, created_at from client where id = %(id)s;

-- all_clients --
-- Every tenant of this installation, oldest first.
select id, name, profile, settings, created_at from client order by created_at, id limit 1000;

-- save_profile --
-- What the tenant says about itself.
update client set name = %(name)s, profile = %(profile)s
where id = %(id)s
returning id, name, profile, settings, created_at;

-- change_settings --
-- Some settings, the others left as they are.
update client set settings = settings || %(settings)s
where id = %(id)s
returning id, name, profile, settings, created_at;

-- lets_in_origin --
-- Whether a page of that origin may ask for some tenant's companies.
select exists (
    select from client where settings -> 'allowedOrigins' ? %(origin)s
) as lets_in;
