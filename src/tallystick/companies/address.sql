-- announce --
-- What the one who serves was told.
insert into public_address (url) values (%(url)s)
on conflict (only_one) do update set url = excluded.url
where public_address.url <> excluded.url;

-- get --
select url from public_address;
