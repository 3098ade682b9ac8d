-- begin --
insert into platform_quota (connection_id, day) values (%(connection_id)s, %(day)s)
on conflict (connection_id) do nothing

-- hold --
select recent, day, day_used, blocked_until, blocked_by from platform_quota
where connection_id = %(connection_id)s for update

-- save --
update platform_quota set recent = %(recent)s, day = %(day)s, day_used = %(day_used)s
where connection_id = %(connection_id)s

-- refuse --
-- What the platform said first stands unless it now names a later moment.
insert into platform_quota (connection_id, day, blocked_until, blocked_by)
values (%(connection_id)s, %(day)s, %(until)s, %(limit)s)
on conflict (connection_id) do update
set blocked_until = excluded.blocked_until, blocked_by = excluded.blocked_by
where platform_quota.blocked_until is null or platform_quota.blocked_until < excluded.blocked_until
