-- add_event --
-- The event itself, as it will be signed and sent.
insert into event (id, client_id, company_id, event_type, body, created_at)
values (%(id)s, %(client_id)s, %(company_id)s, %(event_type)s, %(body)s, %(now)s);

-- listening --
-- Consumers of a client that take messages now.
select id, event_types, company_tags
from consumer
where client_id = %(client_id)s and not disabled
order by created_at, id;

-- add_delivery --
-- One message to one consumer, due at once.
insert into delivery (id, event_id, consumer_id, state, next_at, created_at)
values (%(id)s, %(event_id)s, %(consumer_id)s, 'Sending', %(now)s, %(now)s);
