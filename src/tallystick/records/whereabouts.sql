-- of_company --
-- A client's company with its connections, newest first, and what each ever read of one type.
select k.id::text as connection_id, k.platform_key, k.simulated,
    exists (
        select from dataset d
        where d.company_id = k.company_id and d.connection_id = k.id
            and d.data_type = %(data_type)s and d.status = 'Complete'
    ) as held,
    exists (
        select from dataset d
        where d.connection_id = k.id and d.data_type = %(data_type)s and d.completed_at is null
    ) as in_progress
from company c
left join connection k on k.company_id = c.id
where c.id = %(company_id)s and c.client_id = %(client_id)s
order by k.created_at desc, k.id
