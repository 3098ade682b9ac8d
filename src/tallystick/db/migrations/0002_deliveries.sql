-- Deliveries are taken consumer by consumer, and events are forgotten with their deliveries.
drop index delivery_due;
create index delivery_waiting on delivery (consumer_id, next_at) where completed_at is null;
create index delivery_of_event on delivery (event_id);
create index event_told on event (created_at);
