-- newly_linked --
-- Linked connections for which nothing was read since the customer let us in.
select id from connection
where status = 'Linked' and linked_at is not null and not exists (
    select from read_batch
    where read_batch.connection_id = connection.id and read_batch.initial
      and read_batch.created_at >= connection.linked_at
)
order by linked_at limit %(most)s

-- hold --
-- Two calendars at once queue a company's reads one after the other.
select company.id from company join connection on connection.company_id = company.id
where connection.id = %(id)s for no key update of company

-- read_since_linked --
select exists (
    select from read_batch
    where connection_id = %(id)s and initial and created_at >= %(linked_at)s
) as found

-- completed_types --
select distinct data_type from dataset
where company_id = %(company_id)s and connection_id = %(id)s and status = 'Complete'

-- scheduled --
-- Types whose last attempt (or the link, before any) began longer ago than their schedule says, of
-- those that the platform can give: what nobody can read would be due for ever, and in the way.
-- Moments of the future are from before a clock was set back: they do not count.
with wanted as (
    select connection.id, connection.company_id, connection.linked_at,
        setting ->> 'dataType' as data_type,
        make_interval(hours => (setting ->> 'syncSchedule')::integer) as every,
        row_number() over (
            partition by connection.id, setting ->> 'dataType'
            order by sync_setting.company_id nulls last
        ) as preference
    from connection
    join sync_setting on sync_setting.client_id = connection.client_id
        and (sync_setting.company_id is null or sync_setting.company_id = connection.company_id)
    cross join lateral jsonb_array_elements(sync_setting.settings) as listed (setting)
    where connection.status = 'Linked'
      and (connection.id = %(id)s::uuid or %(id)s::uuid is null)
      and exists (
          select from unnest(%(platform_keys)s::text[], %(data_types)s::text[])
              as readable (platform_key, data_type)
          where readable.platform_key = connection.platform_key
            and readable.data_type = setting ->> 'dataType'
      )
)
select wanted.id, wanted.data_type
from wanted
where preference = 1 and every > interval '0'
  and coalesce(
      (
          select max(dataset.requested_at) from dataset
          where dataset.company_id = wanted.company_id and dataset.connection_id = wanted.id
            and dataset.data_type = wanted.data_type
            and dataset.requested_at <= %(now)s::timestamptz + interval '1 hour'
      ),
      case when wanted.linked_at <= %(now)s::timestamptz + interval '1 hour'
          then wanted.linked_at else '-infinity' end
  ) <= %(now)s - every
  and not exists (
      select from dataset
      where dataset.company_id = wanted.company_id and dataset.connection_id = wanted.id
        and dataset.data_type = wanted.data_type and dataset.completed_at is null
  )
limit %(most)s
