-- add --
insert into consumer (id, client_id, url, disabled, event_types, company_tags, sealed_secret, created_at)
values (%(id)s, %(client_id)s, %(url)s, %(disabled)s, %(event_types)s, %(company_tags)s, %(sealed_secret)s, %(now)s);

-- of_client --
-- All of them; a client has at most fifty.
select id, url, disabled, event_types, company_tags, created_at
from consumer where client_id = %(client_id)s
order by created_at, id;

-- lock_client --
-- Registrations of one client stand in line, so that two at once cannot pass the limit.
select id from client where id = %(client_id)s for no key update;

-- remove --
-- Its waiting deliveries go with it.
delete from consumer where client_id = %(client_id)s and id = %(id)s returning id;
