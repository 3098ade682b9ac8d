-- open_batch --
insert into read_batch (id, company_id, connection_id, initial, created_at)
values (%(id)s, %(company_id)s, %(connection_id)s, %(initial)s, %(now)s)

-- insert --
-- Nothing comes back where a read of this type is in progress.
insert into dataset (
    company_id, id, connection_id, data_type, batch_id, status, deletions_accepted, requested_at
)
values (
    %(company_id)s, %(id)s, %(connection_id)s, %(data_type)s, %(batch_id)s, 'Queued',
    %(deletions_accepted)s, %(now)s
)
on conflict (connection_id, data_type) where completed_at is null do nothing
returning *

-- in_progress --
select id from dataset
where connection_id = %(connection_id)s and data_type = %(data_type)s and completed_at is null

-- hold_company --
select id from company where id = %(company_id)s for no key update

-- get --
select * from dataset where company_id = %(company_id)s and id = %(id)s

-- begin --
-- A slice begins: its number tells any worker that comes back from the dead that it is too late.
update dataset
set status = 'Fetching', status_description = null, resume_at = null,
    attempt = attempt + 1, tries = tries + 1
where id = %(id)s and status in ('Queued', 'Fetching')
  and (resume_at is null or resume_at <= %(now)s)
returning *

-- begin_last_stage --
-- All pages are stored; what is left is to finish.
update dataset
set status_description = null, resume_at = null, attempt = attempt + 1, tries = tries + 1
where id = %(id)s and status in ('Processing')
  and (resume_at is null or resume_at <= %(now)s)
returning *

-- plan --
-- What is to be read, decided before the first request; also starts a read over.
update dataset
set full_read = %(full_read)s, since = %(since)s, read_began_at = %(now)s,
    organisation_id = %(organisation_id)s,
    feed = 0, cursor = null, progress = 0,
    records_read = 0, records_changed = 0, records_deleted = 0
where id = %(id)s and attempt = %(attempt)s and status in ('Fetching')
returning *

-- advance --
-- A page is stored. Not by a worker that was overtaken, not for a connection that has gone or that
-- by now belongs to other books.
update dataset
set status = 'Fetching', feed = %(feed)s, cursor = %(cursor)s, tries = 0,
    progress = greatest(progress, %(progress)s),
    records_read = records_read + %(read)s
where id = %(id)s and attempt = %(attempt)s and status in ('Fetching')
  and exists (
      select from connection
      where connection.id = dataset.connection_id and connection.status = 'Linked'
        and connection.organisation_id is not distinct from dataset.organisation_id
  )
returning *

-- read_through --
-- The last page of the last feed is stored.
update dataset
set status = 'Processing', tries = 0, progress = 95
where id = %(id)s and attempt = %(attempt)s and status in ('Fetching')
returning *

-- count --
update dataset
set records_changed = records_changed + %(changed)s, records_deleted = records_deleted + %(deleted)s
where id = %(id)s

-- pause --
update dataset
set status_description = %(description)s, resume_at = %(resume_at)s, tries = %(tries)s
where id = %(id)s and attempt = %(attempt)s and status in ('Queued', 'Fetching', 'Processing')
returning *

-- complete --
update dataset
set status = 'Complete', status_description = null, error_message = null, progress = 100,
    resume_at = null, completed_at = %(now)s
where id = %(id)s and attempt = %(attempt)s and status in ('Processing')
returning *

-- end --
update dataset
set status = %(status)s, status_description = null, error_message = %(error_message)s,
    resume_at = null, completed_at = %(now)s
where id = %(id)s and attempt = %(attempt)s and status in ('Queued', 'Fetching', 'Processing')
returning *

-- last_success --
-- The last read that brought something, and when everything was last read.
select dataset.*, whole.read_began_at as whole_read_at, whole.since as whole_read_since
from dataset
left join lateral (
    select read_began_at, since from dataset earlier
    where earlier.company_id = dataset.company_id
      and earlier.connection_id = dataset.connection_id
      and earlier.data_type = dataset.data_type and earlier.status = 'Complete'
      and earlier.full_read
    order by requested_at desc limit 1
) whole on true
where dataset.company_id = %(company_id)s and dataset.connection_id = %(connection_id)s
  and dataset.data_type = %(data_type)s and dataset.status = 'Complete'
order by dataset.requested_at desc limit 1

-- due --
-- Reads that should be worked on and for which there is no job, whatever became of it.
select id, connection_id from dataset
where completed_at is null and (resume_at is null or resume_at <= %(now)s)
  and not exists (
      select from unnest(%(working)s::uuid[]) as job (dataset_id)
      where job.dataset_id = dataset.id
  )
order by requested_at, id
limit %(most)s

-- note_issue --
-- Counted where it was seen before; a read keeps a thousand different ones of each severity.
insert into dataset_issue (dataset_id, severity, rule_id, item_id, message, validator, count)
select %(dataset_id)s, %(severity)s, %(rule_id)s, %(item_id)s, %(message)s, %(validator)s, %(count)s
where (
    select count(*) from dataset_issue
    where dataset_id = %(dataset_id)s and severity = %(severity)s
) < 1000
on conflict (dataset_id, severity, rule_id, item_id, message)
do update set count = dataset_issue.count + excluded.count

-- issues --
select severity, rule_id, item_id, message, validator, count from dataset_issue
where dataset_id = %(dataset_id)s
order by severity, rule_id, item_id, message
limit 1000

-- has_gaps --
select exists (
    select from dataset_issue where dataset_id = %(dataset_id)s and severity = 'error'
) as found

-- hold_batch --
select * from read_batch where id = %(id)s for update

-- of_batch --
select dataset.*, (
    select coalesce(sum(count), 0) from dataset_issue where dataset_id = dataset.id
) as issues
from dataset where batch_id = %(id)s order by requested_at, id

-- announce --
update read_batch set announced_at = %(now)s where id = %(id)s

-- latest --
-- For each data type of a company the last read, and the last one that was completed.
select last.data_type, last.id, last.status, good.id as good_id, good.completed_at as good_at
from (
    select distinct on (data_type) data_type, id, status from dataset
    where company_id = %(company_id)s
    order by data_type, requested_at desc, id
) last
left join (
    select distinct on (data_type) data_type, id, completed_at from dataset
    where company_id = %(company_id)s and status = 'Complete'
    order by data_type, completed_at desc, id
) good using (data_type)

-- forget_old --
-- The history is kept for a while; the last success of each type for ever, as the next read starts
-- from it, and so is the last whole one.
delete from dataset
where completed_at < %(before)s and id <> all (
    select distinct on (connection_id, data_type) id from dataset
    where status = 'Complete' order by connection_id, data_type, requested_at desc
) and id <> all (
    select distinct on (connection_id, data_type) id from dataset
    where status = 'Complete' and full_read
    order by connection_id, data_type, requested_at desc
)

-- forget_batches --
-- Those of a link stay: they say that its first read was asked for.
delete from read_batch
where created_at < %(before)s and not initial
  and not exists (select from dataset where dataset.batch_id = read_batch.id)
