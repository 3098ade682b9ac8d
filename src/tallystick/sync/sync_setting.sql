-- own --
-- The settings stored for a client (company_id null) or for one of its companies.
select settings from sync_setting
where client_id = %(client_id)s and company_id is not distinct from %(company_id)s::uuid

-- save --
insert into sync_setting (client_id, company_id, settings, updated_at)
values (%(client_id)s, %(company_id)s, %(settings)s, %(now)s)
on conflict (client_id, company_id)
do update set settings = excluded.settings, updated_at = excluded.updated_at

-- remove --
delete from sync_setting
where client_id = %(client_id)s and company_id is not distinct from %(company_id)s::uuid
