-- open --
-- A visit begins.
insert into link_session (
    id, client_id, company_id, connection_id, state, browser, parameters, created_at, expires_at
)
values (
    %(id)s, %(client_id)s, %(company_id)s, %(connection_id)s, 'Opened', %(browser)s,
    %(parameters)s, %(now)s, %(expires_at)s
)
returning *;

-- get --
-- A visit, if it is this browser's.
select * from link_session where id = %(id)s and browser = %(browser)s;

-- by_oauth_state --
-- The visit a customer comes back to from the platform, if it is this browser's.
select * from link_session where oauth_state = %(oauth_state)s and browser = %(browser)s;

-- consented --
-- The customer agreed and goes to the platform; going back and agreeing again makes a new state.
update link_session
set state = 'Consented', oauth_state = %(oauth_state)s, expires_at = %(expires_at)s
where id = %(id)s and browser = %(browser)s and expires_at > %(now)s
  and state in ('Opened', 'Consented')
returning *;

-- returned --
-- The platform's answer is taken, once.
update link_session
set state = 'Returned', expires_at = %(expires_at)s
where id = %(id)s and browser = %(browser)s and expires_at > %(now)s
  and state in ('Consented')
returning *;

-- choosing --
-- The customer has something to choose or to confirm.
update link_session
set state = 'Choosing', sealed = %(sealed)s, expires_at = %(expires_at)s
where id = %(id)s and browser = %(browser)s and expires_at > %(now)s
  and state in ('Returned')
returning *;

-- connected --
-- Linked; what was kept for the choice is forgotten.
update link_session
set state = 'Connected', sealed = null, outcome = %(outcome)s, expires_at = %(expires_at)s
where id = %(id)s and browser = %(browser)s and expires_at > %(now)s
  and state in ('Returned', 'Choosing')
returning *;

-- failed --
-- Refused or failed; what was kept for the choice is forgotten.
update link_session
set state = 'Failed', sealed = null, outcome = %(outcome)s, expires_at = %(expires_at)s
where id = %(id)s and browser = %(browser)s and expires_at > %(now)s
  and state in ('Opened', 'Consented', 'Returned', 'Choosing')
returning *;

-- forget_secrets --
-- A choice nobody made in time; what somebody else is busy with can wait.
update link_session set sealed = null
where id in (
    select id from link_session
    where expires_at <= %(now)s and sealed is not null
    for update skip locked
);

-- forget_visits --
-- Kept a day longer than they last, to tell a late customer what happened.
delete from link_session
where id in (
    select id from link_session where expires_at <= %(before)s for update skip locked
);

-- hold_company --
-- One step at a time: a second click waits for the first.
select id from company where id = %(company_id)s for update;
