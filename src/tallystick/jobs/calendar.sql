-- try_lock --
select pg_try_advisory_lock(%(lock)s) as held

-- alive --
select 1 as alive
