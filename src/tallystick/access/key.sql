-- lock_client --
-- Keys of one client are made one after another, so that the limit holds.
select id from client where id = %(client_id)s for no key update;

-- count --
-- How many keys a client has.
select count(*) as number from api_key where client_id = %(client_id)s;

-- add --
-- A new key; the key itself is not kept.
insert into api_key (id, client_id, name, digest, created_at)
values (%(id)s, %(client_id)s, %(name)s, %(digest)s, %(now)s)
returning id, client_id, name, created_at;

-- of_client --
-- Oldest first.
select id, client_id, name, created_at from api_key
where client_id = %(client_id)s
order by created_at, id;

-- who --
-- Whose key it is.
select id, client_id, digest from api_key where digest = %(digest)s;

-- delete --
-- It opens nothing any more.
delete from api_key where id = %(id)s and client_id = %(client_id)s returning id;
