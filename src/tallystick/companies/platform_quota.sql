-- begin --
insert into platform_quota (books_key, day) values (%(books_key)s, %(day)s)
on conflict (books_key) do nothing

-- hold --
select recent, day, day_used, blocked_until, blocked_by from platform_quota
where books_key = %(books_key)s for update

-- save --
update platform_quota set recent = %(recent)s, day = %(day)s, day_used = %(day_used)s
where books_key = %(books_key)s

-- refuse --
-- What the platform said first stands unless it now names a later moment.
insert into platform_quota (books_key, day, blocked_until, blocked_by)
values (%(books_key)s, %(day)s, %(until)s, %(limit)s)
on conflict (books_key) do update
set blocked_until = excluded.blocked_until, blocked_by = excluded.blocked_by
where platform_quota.blocked_until is null or platform_quota.blocked_until < excluded.blocked_until
