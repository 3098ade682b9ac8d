-- claim --
-- Take a due message for one attempt. Until `guard` it is ours: if we die, it is due again then.
update delivery d
set state = 'Attempting', attempt = d.attempt + 1, next_at = %(guard)s
from event e, consumer c
where d.id = %(id)s and d.completed_at is null and d.next_at <= %(now)s
  and e.id = d.event_id and c.id = d.consumer_id and not c.disabled
returning d.id, d.attempt, d.event_id, e.body, c.id as consumer_id, c.url, c.sealed_secret;

-- succeed --
update delivery
set state = 'Success', completed_at = %(now)s, next_at = null, last_status = %(status)s, last_error = null
where id = %(id)s and attempt = %(attempt)s and completed_at is null;

-- retry_later --
update delivery
set next_at = %(next_at)s, last_status = %(status)s, last_error = %(error)s
where id = %(id)s and attempt = %(attempt)s and completed_at is null;

-- give_up --
update delivery
set state = 'Failure', completed_at = %(now)s, next_at = null, last_status = %(status)s, last_error = %(error)s
where id = %(id)s and attempt = %(attempt)s and completed_at is null;

-- consumer_is_well --
update consumer set failing_since = null where id = %(consumer_id)s and failing_since is not null;

-- consumer_failed --
-- Remember since when nothing got through; after that long it is switched off.
update consumer
set failing_since = coalesce(failing_since, %(now)s),
    disabled = disabled or coalesce(failing_since, %(now)s) <= %(off_before)s
where id = %(consumer_id)s;

-- due --
-- Messages whose time has come, oldest first; those of switched-off consumers wait.
select d.id
from delivery d join consumer c on c.id = d.consumer_id
where d.completed_at is null and d.next_at <= %(now)s and not c.disabled
order by d.next_at
limit %(most)s;

-- forget_events --
-- Events and their finished messages that are older than the history we keep.
delete from event e
where e.created_at < %(before)s
  and not exists (select from delivery d where d.event_id = e.id and d.completed_at is null);
