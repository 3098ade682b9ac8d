-- add_event --
-- The event itself, as it will be signed and sent.
insert into event (id, client_id, company_id, event_type, body, created_at)
values (%(id)s, %(client_id)s, %(company_id)s, %(event_type)s, %(body)s, %(now)s);

-- listening --
-- Consumers of a client that take messages now; nobody deletes one before its message is stored.
select id, event_types, company_tags
from consumer
where client_id = %(client_id)s and not disabled
order by created_at, id
for key share;

-- add_deliveries --
-- One message to each of some consumers, due at once.
insert into delivery (id, event_id, consumer_id, state, next_at, created_at)
select made.id, %(event_id)s, made.consumer_id, 'Sending', %(now)s, %(now)s
from unnest(%(ids)s::uuid[], %(consumers)s::uuid[]) as made (id, consumer_id);
