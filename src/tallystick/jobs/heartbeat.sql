-- newest --
-- When any worker was last heard of, by the database's own clock.
select extract(epoch from now() - max(last_heartbeat))::float8 as age_s from procrastinate_workers;
