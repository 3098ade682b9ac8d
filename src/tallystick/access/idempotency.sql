-- claim --
-- The first request with that key works on it; so does one after the key's time has passed.
insert into idempotency_key (
    client_id, scope, key, body_digest, holder, state, created_at, expires_at
)
values (
    %(client_id)s, %(scope)s, %(key)s, %(body_digest)s, %(holder)s, 'Open', %(now)s, %(expires_at)s
)
on conflict (client_id, scope, key) do update
set body_digest = excluded.body_digest,
    holder = excluded.holder,
    state = 'Open',
    status = null,
    sealed = null,
    kept_at = null,
    created_at = excluded.created_at,
    expires_at = excluded.expires_at
where idempotency_key.expires_at <= %(now)s
returning holder;

-- earlier --
-- What is known of a key that somebody else holds.
select state, status, sealed, body_digest, kept_at from idempotency_key
where client_id = %(client_id)s and scope = %(scope)s and key = %(key)s;

-- keep --
-- The answer, in the transaction that makes it true. Only whoever holds the key may write it.
update idempotency_key
set state = 'Doubtful',
    status = %(status)s,
    sealed = %(sealed)s,
    kept_at = %(now)s,
    expires_at = %(expires_at)s
where client_id = %(client_id)s and scope = %(scope)s and key = %(key)s
  and holder = %(holder)s and state in ('Open')
returning holder;

-- arrived --
-- The caller has the answer: a repetition is less likely to be a retry.
update idempotency_key
set state = 'Answered', expires_at = %(expires_at)s
where client_id = %(client_id)s and scope = %(scope)s and key = %(key)s
  and holder = %(holder)s and state in ('Doubtful');

-- release --
-- Nothing was made: the next request may try.
delete from idempotency_key
where client_id = %(client_id)s and scope = %(scope)s and key = %(key)s
  and holder = %(holder)s and state in ('Open');

-- forget_expired --
-- Some of the keys whose time has passed.
delete from idempotency_key
where (client_id, scope, key) in (
    select client_id, scope, key from idempotency_key where expires_at <= %(now)s limit %(most)s
);
