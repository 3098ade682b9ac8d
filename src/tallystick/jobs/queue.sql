-- live --
-- Values of one argument among the jobs of a task that wait or run.
select distinct args ->> %(argument)s::text as value
from procrastinate_jobs
where task_name = %(task)s and status in ('todo', 'doing') and args ? %(argument)s::text

-- heartbeat --
-- When the liveliest worker last said that it lives, and how long ago that is.
select extract(epoch from now() - max(last_heartbeat))::float8 as age_s from procrastinate_workers

-- unfinished --
-- How many jobs wait or run.
select count(*) as jobs from procrastinate_jobs where status in ('todo', 'doing')
