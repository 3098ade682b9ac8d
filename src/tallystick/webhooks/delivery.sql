-- take --
-- Due messages, each for one attempt. Every consumer has places of its own, and first places come
-- before second ones: who answers late, or never, holds up nobody else. Until `guard` a message is
-- ours; if we die, it is due again then.
with due as (
    select waiting.id, waiting.next_at, c.id as consumer_id, coalesce(busy.number, 0) as number
    from consumer c
    left join unnest(%(consumers)s::uuid[], %(numbers)s::integer[]) as busy (id, number)
        on busy.id = c.id
    cross join lateral (
        select d.id, d.next_at
        from delivery d
        where d.consumer_id = c.id and d.completed_at is null and d.next_at <= %(now)s
        order by d.next_at
        limit greatest(
            case when c.failing_since is null then %(each)s else 1 end - coalesce(busy.number, 0), 0
        )
        for update skip locked
    ) waiting
    where not c.disabled
),
taken as (
    select id
    from due
    order by number + row_number() over (partition by consumer_id order by next_at), next_at
    limit %(most)s
)
update delivery d
set state = 'Attempting', attempt = d.attempt + 1, next_at = %(guard)s
from taken, event e, consumer c
where d.id = taken.id and e.id = d.event_id and c.id = d.consumer_id
returning d.id, d.attempt, d.event_id, e.body, c.id as consumer_id, c.url, c.sealed_secret;

-- succeed --
-- Whichever attempt it was: arrived is arrived.
update delivery
set state = 'Success', completed_at = %(now)s, next_at = null, last_status = %(status)s, last_error = null
where id = %(id)s and completed_at is null;

-- retry_later --
update delivery
set next_at = %(next_at)s, last_status = %(status)s, last_error = %(error)s
where id = %(id)s and attempt = %(attempt)s and completed_at is null;

-- give_up --
update delivery
set state = 'Failure', completed_at = %(now)s, next_at = null, last_status = %(status)s, last_error = %(error)s
where id = %(id)s and attempt = %(attempt)s and completed_at is null
  and created_at <= %(told_before)s;

-- consumer_is_well --
update consumer set failing_since = null where id = %(consumer_id)s and failing_since is not null;

-- consumer_failed --
-- Remember since when nothing got through; after that long it is switched off.
update consumer
set failing_since = coalesce(failing_since, %(now)s),
    disabled = failing_since is not null and failing_since <= %(off_before)s
where id = %(consumer_id)s and not disabled
  and (failing_since is null or failing_since <= %(off_before)s);

-- forget_events --
-- Events past the history that is kept, with their messages, those of a switched-off consumer too.
delete from event
where id in (
    select id from event where created_at < %(before)s order by created_at limit %(most)s
);
