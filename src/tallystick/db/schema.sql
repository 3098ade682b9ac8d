-- The whole first shape of the database. `company_id` leads the keys of what grows with companies,
-- so that a distributed PostgreSQL could place a company's rows together.

-- Words every installation starts with.
create table installation (
    only_one      boolean primary key default true check (only_one),
    key_check     bytea not null,          -- a known text sealed with the encryption key: tells a wrong key
    created_at    timestamptz not null
);

-- Where customers reach this installation; written by whoever serves, read by whoever tells events.
create table public_address (
    only_one      boolean primary key default true check (only_one),
    url           text not null
);

-- --- who asks ---

create table client (
    id            uuid primary key,
    name          text not null,
    profile       jsonb not null default '{}',
    settings      jsonb not null default '{}',   -- allowed origins, several accounting connections, ...
    created_at    timestamptz not null
);

create table api_key (
    id            uuid primary key,
    client_id     uuid not null references client on delete cascade,
    name          text,
    digest        bytea not null unique,
    created_at    timestamptz not null
);
create index api_key_of_client on api_key (client_id, created_at);

create table idempotency_key (
    client_id     uuid not null references client on delete cascade,
    scope         text not null,           -- method and path; for keyless protection also the API key
    key           text not null,
    body_digest   bytea not null,
    holder        uuid not null,           -- the request that works on it: another one cannot end it
    state         text not null,           -- Open (in flight), Doubtful (may not have arrived), Answered
    status        integer,                 -- null while in flight
    sealed        bytea,                   -- the answer's body, sealed: it may hold a secret
    created_at    timestamptz not null,
    kept_at       timestamptz,
    expires_at    timestamptz not null,
    primary key (client_id, scope, key)
);
create index idempotency_key_expiry on idempotency_key (expires_at);

-- --- companies and their connections ---

create table company (
    id            uuid primary key,
    client_id     uuid not null references client on delete cascade,
    name          text not null,
    description   text,
    tags          jsonb not null default '{}',
    created_by    text,
    created_at    timestamptz not null,
    last_sync_at  timestamptz,
    changes       bigint not null default 0     -- moved in the storing transaction: the changes feed's cursor
);
create index company_of_client on company (client_id, created_at desc, id);

create table connection (
    company_id    uuid not null references company on delete cascade,
    id            uuid not null,
    client_id     uuid not null,
    platform_key  text not null,
    status        text not null,           -- PendingAuth, Linked, Unlinked, Deauthorized
    base_url      text,                    -- where it was linked (null: the platform's own addresses); never reused elsewhere
    simulated     boolean not null default false,
    organisation_id   text,
    organisation_name text,
    grant_id      text,
    errors        jsonb not null default '[]',
    created_at    timestamptz not null,
    linked_at     timestamptz,
    last_sync_at  timestamptz,
    primary key (company_id, id)
);
create unique index connection_id on connection (id);

create table credential (
    connection_id uuid primary key references connection (id) on delete cascade,
    sealed        bytea not null,          -- the token pair, sealed with context `credential/{connection_id}`
    expires_at    timestamptz not null,
    version       integer not null default 1,
    updated_at    timestamptz not null
);

-- What is left of a platform's limit, shared by all processes. Platforms count per set of books and
-- app, and two companies may have linked the same books.
create table platform_quota (
    books_key     text primary key,              -- platform, address and organisation
    recent        timestamptz[] not null default '{}',   -- the calls of the last minute and a little
    day           date not null,
    day_used      integer not null default 0,
    blocked_until timestamptz,
    blocked_by    text
);

-- One visit of a customer who links: single use, bound to a browser, short-lived.
create table link_session (
    id            uuid primary key,
    client_id     uuid not null,
    company_id    uuid not null references company on delete cascade,
    connection_id uuid references connection (id) on delete cascade,   -- null: the company's own page
    state         text not null,           -- Opened, Consented, Returned, Choosing, Connected, Failed
    oauth_state   bytea unique,            -- digest of what went to the platform
    browser       bytea not null,          -- digest of the cookie
    parameters    jsonb not null default '{}',   -- what the link carried for the redirect
    sealed        bytea,                   -- tokens and organisations between return and choice, context `link/{id}`
    outcome       jsonb,                   -- how it ended, as the redirect tells it
    created_at    timestamptz not null,
    expires_at    timestamptz not null
);
create index link_session_expiry on link_session (expires_at);

create table sync_setting (
    client_id     uuid not null references client on delete cascade,
    company_id    uuid references company on delete cascade,   -- null: the client's own
    settings      jsonb not null,
    updated_at    timestamptz not null,
    unique nulls not distinct (client_id, company_id)
);

-- Which worker keeps the calendar. A lease and not a lock: a worker that is frozen holds no lease.
create table calendar_lease (
    only_one      boolean primary key default true check (only_one),
    holder        uuid not null,
    until         timestamptz not null
);

-- --- reading ---

create table dataset (
    company_id    uuid not null references company on delete cascade,
    id            uuid not null,
    connection_id uuid not null,
    data_type     text not null,
    batch_id      uuid not null,           -- the reads that were asked for together; one read.completed tells of them
    status        text not null,
    status_description text,
    error_message text,
    full_read     boolean not null default true,
    since         timestamptz,             -- what the platform is asked for; null: everything
    read_began_at timestamptz,             -- when the first request was sent: the next read's `since`
    feed          integer not null default 0,
    cursor        text,
    progress      integer not null default 0,
    attempt       integer not null default 0,     -- slices begun: who holds an older number has been overtaken
    tries         integer not null default 0,     -- slices begun since the last page was stored
    organisation_id text,                         -- whose books were read
    deletions_accepted boolean not null default false,   -- the fuse against mass deletion is bridged
    records_read  bigint not null default 0,
    records_changed bigint not null default 0,
    records_deleted bigint not null default 0,
    resume_at     timestamptz,
    requested_at  timestamptz not null,
    completed_at  timestamptz,
    primary key (company_id, id)
);
create unique index dataset_id on dataset (id);
-- 'In progress' is this index: a second read of the same type cannot be queued beside a running one.
create unique index dataset_in_progress on dataset (connection_id, data_type) where completed_at is null;
create index dataset_latest on dataset (company_id, connection_id, data_type, requested_at desc);
create index dataset_due on dataset (resume_at) where completed_at is null;
create index dataset_batch on dataset (batch_id);

-- One authorisation or one request: who waits for which reads.
create table read_batch (
    id            uuid primary key,
    company_id    uuid not null references company on delete cascade,
    connection_id uuid not null,
    initial       boolean not null,        -- after an authorisation: ends in read.completed.initial
    announced_at  timestamptz,
    created_at    timestamptz not null
);
create index read_batch_of_connection on read_batch (connection_id, created_at);

-- What was odd in a read: counted, never fatal.
create table dataset_issue (
    dataset_id    uuid not null references dataset (id) on delete cascade,
    severity      text not null,           -- warning, error
    rule_id       text not null,
    item_id       text not null,
    message       text not null,
    validator     text not null,
    count         integer not null default 1,
    primary key (dataset_id, severity, rule_id, item_id, message)
);

create table record (
    company_id    uuid not null references company on delete cascade,
    connection_id uuid not null,
    data_type     text not null,
    id            text not null,
    body          text not null,           -- the finished JSON of the wire, served as it stands
    fields        jsonb not null,          -- its filterable scalars by wire path, texts folded: what queries look at
    hash          bytea not null,          -- over the body without modifiedDate
    raw_hash      bytea,                   -- over raw, mapping version and books: equal means nothing to do
    parent        text,                    -- the raw record it lies in, where that holds several
    is_deleted    boolean not null default false,
    modified_at   timestamptz not null,
    read_at       timestamptz not null,    -- when the request that brought it was sent
    change        bigint not null,         -- its place in the company's feed of changes
    -- The day lists are mostly ordered by, of the types that have one: deep pages need it in an index.
    day           text collate "C" generated always as (coalesce(fields->>'issueDate', fields->>'date')) stored,
    primary key (company_id, connection_id, data_type, id)
);
create index record_modified on record (company_id, connection_id, data_type, modified_at, id);
create index record_day on record (company_id, connection_id, data_type, day, id);
create index record_change on record (company_id, change);
create index record_raw on record (company_id, connection_id, data_type, raw_hash, id) where raw_hash is not null;
create index record_parent on record (company_id, connection_id, data_type, parent, id) where parent is not null;
-- Bodies are short and read far more often than written: kept whole and uncompressed in the row,
-- unless a row outgrows its page.
alter table record alter column body set storage main;
alter table record set (toast_tuple_target = 8160, autovacuum_analyze_scale_factor = 0.02);

-- What a read found as we hold it already: one row for each page, so that an unchanged record costs
-- no write of its own. A record was last seen at the later one of its own read_at and these.
create table record_seen (
    company_id    uuid not null,
    connection_id uuid not null,
    data_type     text not null,
    read_at       timestamptz not null,
    ids           text[] not null,
    foreign key (company_id, connection_id) references connection on delete cascade
);
create index record_seen_latest on record_seen (company_id, connection_id, data_type, read_at);

-- --- writing ---

-- Columns that hold JSON are text here: nobody asks about their inside, and numbers stay exact.
create table operation (
    company_id    uuid not null references company on delete cascade,
    key           uuid not null,
    sequence      bigint generated always as identity,  -- the order of requests
    connection_id uuid not null,
    client_id     uuid not null,
    organisation_id text,                  -- the books that were meant; never written into others
    data_type     text not null,
    kind          text not null default 'Create',   -- Create, UploadAttachment
    state         text not null,           -- Pending, Sending, Checking, Success, Failed, TimedOut
    status        text not null generated always as (  -- the word that callers see
        case when state in ('Sending', 'Checking') then 'Pending' else state end
    ) stored,
    attempt       integer not null default 0,       -- how often it was claimed for sending
    looks         integer not null default 0,       -- how often the platform was asked since
    in_doubt      boolean not null default false,   -- an attempt may have arrived unheard
    request       text not null,
    targets       text[] not null default '{}',     -- what it settles; two with one target never overlap
    record_id     text,
    attachment_id text,
    changes       text not null default '[]',      -- known before the end where only reading back is left
    picture       text,                   -- what the target held before we sent
    settlement    text,                   -- what each bill owed, should owe, and owes
    resolution    text,                   -- what became of a write that timed out after it was sent
    refusal       text,                   -- the platform's no to a repeated attempt, while an earlier one is in doubt
    error_message text,
    validation    text ,
    status_code   integer not null,
    sync_after    boolean not null default true,
    timeout_minutes integer,
    deadline_at   timestamptz,
    resume_at     timestamptz,             -- when it is looked at again; what is open always has one
    queued_until  timestamptz,             -- until then a job is trusted to come
    sent_at       timestamptz,
    requested_at  timestamptz not null,
    completed_at  timestamptz,
    primary key (company_id, key),
    check (completed_at is not null or resume_at is not null)
);
create unique index operation_key on operation (key);
create index operation_newest on operation (company_id, requested_at desc, key);
create index operation_open on operation (connection_id, sequence) where resume_at is not null;
create index operation_due on operation (resume_at) where resume_at is not null;
create index operation_deadline on operation (deadline_at) where completed_at is null;
create index operation_record on operation (connection_id, record_id) where record_id is not null;

-- Files on their way to a platform; gone once the operation ended.
create table operation_file (
    key           uuid primary key references operation (key) on delete cascade,
    name          text not null,
    content_type  text not null,
    content       bytea not null
);

-- --- telling ---

create table consumer (
    id            uuid primary key,
    client_id     uuid not null references client on delete cascade,
    url           text not null,
    disabled      boolean not null default false,
    event_types   text[] not null,
    company_tags  text[] not null default '{}',
    sealed_secret bytea not null,          -- context `consumer/{id}`
    failing_since timestamptz,
    created_at    timestamptz not null
);
create index consumer_of_client on consumer (client_id, created_at);

create table event (
    id            uuid primary key,
    client_id     uuid not null references client on delete cascade,
    company_id    uuid,
    event_type    text not null,
    body          text not null,           -- the envelope as it is signed and sent
    created_at    timestamptz not null
);
create index event_of_client on event (client_id, created_at desc);
create index event_told on event (created_at);

create table delivery (
    id            uuid primary key,
    event_id      uuid not null references event on delete cascade,
    consumer_id   uuid not null references consumer on delete cascade,
    state         text not null,           -- Sending, Attempting, Success, Failure
    attempt       integer not null default 0,
    next_at       timestamptz,
    last_status   integer,
    last_error    text,
    created_at    timestamptz not null,
    completed_at  timestamptz
);
create index delivery_waiting on delivery (consumer_id, next_at) where completed_at is null;
create index delivery_of_event on delivery (event_id);
create index delivery_of_consumer on delivery (consumer_id, created_at desc);
