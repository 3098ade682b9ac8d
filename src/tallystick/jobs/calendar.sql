-- take --
-- The lease, if it is free, ran out or is ours already; by the database's clock, that all share.
insert into calendar_lease (holder, until)
values (%(holder)s, now() + make_interval(secs => %(lease_s)s))
on conflict (only_one) do update set holder = excluded.holder, until = excluded.until
where calendar_lease.holder = excluded.holder or calendar_lease.until < now()
returning true as held

-- give_back --
delete from calendar_lease where holder = %(holder)s
