-- accept --
insert into operation (
    company_id, key, connection_id, client_id, organisation_id, data_type, kind, state, request,
    targets, record_id, error_message, validation, status_code, sync_after, timeout_minutes,
    deadline_at, resume_at, queued_until, requested_at, completed_at
) values (
    %(company_id)s, %(key)s, %(connection_id)s, %(client_id)s, %(organisation_id)s, %(data_type)s,
    %(kind)s, %(state)s, %(request)s, %(targets)s, %(record_id)s, %(error_message)s,
    %(validation)s, %(status_code)s, %(sync_after)s, %(timeout_minutes)s,
    %(deadline_at)s, %(resume_at)s, %(queued_until)s, %(requested_at)s, %(completed_at)s
)
returning *;

-- add_file --
insert into operation_file (key, name, content_type, content)
values (%(key)s, %(name)s, %(content_type)s, %(content)s);

-- file --
select name, content_type, content from operation_file where key = %(key)s;

-- drop_file --
delete from operation_file where key = %(key)s;

-- get --
select * from operation where company_id = %(company_id)s and key = %(key)s;

-- whole --
select * from operation where key = %(key)s and resume_at is not null;

-- connection_of --
select connection_id from operation where key = %(key)s;

-- lock --
-- Held by a database session of its own, so that it ends with its holder.
select pg_try_advisory_lock(hashtextextended('push/' || %(connection_id)s, 0)) as held;

-- unlock --
-- Said aloud, because the end of a session is noticed by the server a moment later.
select pg_advisory_unlock(hashtextextended('push/' || %(connection_id)s, 0));

-- waiting --
-- What is open on a connection, and what timed out unheard, in the order of requests; without
-- what was asked for, which may be long.
select key, state, targets, resume_at, attempt, looks from operation
where connection_id = %(connection_id)s and resume_at is not null
order by sequence
limit %(most)s;

-- still_mine --
-- Asked on the connection that holds the lock: where that one was cut, this fails.
select 1 as yes from operation
where key = %(key)s and state = 'Sending' and attempt = %(attempt)s;

-- claim --
update operation set state = 'Sending', attempt = attempt + 1, picture = %(picture)s,
    sent_at = %(now)s, resume_at = %(resume_at)s, queued_until = null
where key = %(key)s and state in ('Pending') and attempt = %(attempt)s
  and (deadline_at is null or deadline_at > %(now)s)
returning *;

-- postpone --
-- Never what is in doubt: that is looked for, not sent anew.
update operation set state = 'Pending', resume_at = %(resume_at)s, queued_until = null,
    sent_at = null, looks = looks + %(vain)s
where key = %(key)s and state in ('Pending', 'Sending') and attempt = %(attempt)s and not in_doubt
returning *;

-- doubt --
update operation set state = 'Checking', in_doubt = true, resume_at = %(resume_at)s,
    queued_until = null,
    -- Counted anew once it is known to be written and only reading back is left.
    looks = case
        when state = 'Checking' and (changes <> '[]' or %(changes)s::text is null) then looks + 1
        else 0
    end,
    changes = coalesce(%(changes)s, changes),
    record_id = coalesce(%(record_id)s, record_id),
    attachment_id = coalesce(%(attachment_id)s, attachment_id),
    refusal = coalesce(%(refusal)s, refusal)
where key = %(key)s and state in ('Sending', 'Checking') and attempt = %(attempt)s
returning *;

-- send_again --
-- The picture stays the one before the first attempt, or a late arrival would stand in it.
update operation set state = 'Sending', attempt = attempt + 1, sent_at = %(now)s,
    resume_at = %(resume_at)s, queued_until = null
where key = %(key)s and state in ('Checking') and attempt = %(attempt)s
  and (deadline_at is null or deadline_at > %(now)s)
returning *;

-- succeed --
update operation set state = 'Success', status_code = 200, changes = %(changes)s,
    record_id = %(record_id)s, attachment_id = %(attachment_id)s,
    settlement = %(settlement)s, validation = %(validation)s, refusal = null,
    error_message = null, completed_at = %(now)s, resume_at = null, queued_until = null
where key = %(key)s and state in ('Sending', 'Checking') and attempt = %(attempt)s
returning *;

-- fail --
update operation set state = 'Failed', status_code = %(status_code)s,
    error_message = %(error_message)s, validation = %(validation)s, changes = '[]',
    refusal = null, completed_at = %(now)s, resume_at = null, queued_until = null
where key = %(key)s and state in ('Pending', 'Sending', 'Checking') and attempt = %(attempt)s
returning *;

-- overdue --
-- Locked until they are timed out; one that another worker is timing out is left to it.
select key, sent_at from operation
where deadline_at <= %(now)s and completed_at is null
order by deadline_at
limit %(most)s
for update skip locked;

-- time_out --
-- Only what may have been sent keeps a time to be looked for.
update operation set state = 'TimedOut', status_code = 408, error_message = %(error_message)s,
    completed_at = %(now)s, queued_until = null, looks = 0,
    resume_at = case when sent_at is null then null else %(resume_at)s end
where key = %(key)s and state in ('Pending', 'Sending', 'Checking')
returning *;

-- ask_later --
update operation set resume_at = %(resume_at)s, queued_until = null, looks = looks + 1
where key = %(key)s and state = 'TimedOut' and resolution is null and resume_at is not null
returning *;

-- resolve --
update operation set resolution = %(resolution)s, settlement = %(settlement)s,
    resume_at = null, queued_until = null
where key = %(key)s and state = 'TimedOut' and attempt = %(attempt)s and resolution is null
  and resume_at is not null
returning *;

-- taken --
-- Records that are known to be the work of another operation.
select record_id from operation
where connection_id = %(connection_id)s and record_id = any(%(record_ids)s) and key <> %(key)s
  and kind = 'Create' and (state = 'Success' or resolution is not null or changes <> '[]');

-- wait_behind --
-- Nobody who waits behind another is due before it.
update operation set resume_at = %(resume_at)s, queued_until = null
where connection_id = %(connection_id)s and state = 'Pending' and resume_at <= %(now)s;

-- trust_until --
update operation set queued_until = %(queued_until)s
where key = %(key)s and resume_at is not null;

-- due --
-- One operation of each connection where something is due and no job is trusted to come: that job
-- does them all. A trust that reaches further than any is from before a clock was set back.
select connection_id, min(key::text) filter (where resume_at <= %(now)s) as key
from operation
where resume_at is not null
group by connection_id
having bool_or(resume_at <= %(now)s)
  and bool_or(queued_until > %(now)s and queued_until <= %(trusted_until)s) is not true
limit %(most)s;

-- is_there --
-- Whether a connection is still there.
select id from connection where id = %(connection_id)s;

-- hold_company --
-- Queue up with all who change something of the company; before any other lock.
select id from company where id = %(company_id)s for no key update;

-- hold_books --
-- The connection, if it still belongs to the books that were meant; it stays until this is over.
select id from connection
where id = %(connection_id)s and organisation_id is not distinct from %(organisation_id)s
for key share;

-- page --
-- Without what was asked for and what was seen before: nobody is shown it, and both may be long.
select company_id, key, connection_id, client_id, organisation_id, data_type, kind, state, attempt,
    looks, in_doubt, '' as request, targets, record_id, attachment_id, changes, null as picture,
    settlement, resolution, refusal, error_message, validation, status_code, sync_after,
    timeout_minutes, resume_at, sent_at, requested_at, completed_at
from operation
where company_id = %(company_id)s and {where}
order by {order}
limit %(limit)s offset %(offset)s;

-- count --
select count(*) as total from operation
where company_id = %(company_id)s and {where};
