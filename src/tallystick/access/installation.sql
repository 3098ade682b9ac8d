-- get --
select key_check from installation;

-- add --
-- The first process wins; the others find its row.
insert into installation (key_check, created_at) values (%(key_check)s, %(now)s)
on conflict do nothing;

-- holds_sealed --
select exists (select from credential) or exists (select from consumer) as holds;
