-- schema --
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS organisation (
    id TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS record (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation TEXT NOT NULL,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    label TEXT NOT NULL,
    code TEXT NOT NULL,
    contact TEXT NOT NULL,
    target TEXT NOT NULL,
    owner TEXT NOT NULL,
    updated_ms INTEGER NOT NULL,
    open_cents INTEGER NOT NULL,
    due_on TEXT NOT NULL,
    native INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (organisation, collection, id)
);
CREATE INDEX IF NOT EXISTS record_by_moment ON record (organisation, collection, updated_ms, number);
CREATE INDEX IF NOT EXISTS record_by_target ON record (organisation, collection, target);
CREATE INDEX IF NOT EXISTS record_by_owner ON record (organisation, collection, owner);
CREATE INDEX IF NOT EXISTS record_by_label ON record (organisation, collection, label);
CREATE INDEX IF NOT EXISTS record_by_code ON record (organisation, collection, code);
CREATE INDEX IF NOT EXISTS record_by_contact ON record (organisation, contact);
CREATE TABLE IF NOT EXISTS journal_line (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation TEXT NOT NULL,
    source TEXT NOT NULL,
    posted_on TEXT NOT NULL,
    account TEXT NOT NULL,
    control TEXT NOT NULL,
    contact TEXT NOT NULL,
    base_cents INTEGER NOT NULL,
    account_cents INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS journal_line_by_source ON journal_line (organisation, source);
CREATE TABLE IF NOT EXISTS attachment (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation TEXT NOT NULL,
    collection TEXT NOT NULL,
    record TEXT NOT NULL,
    id TEXT NOT NULL,
    file_name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    include_online INTEGER NOT NULL,
    content BLOB NOT NULL,
    UNIQUE (organisation, collection, record, file_name)
);
CREATE TABLE IF NOT EXISTS answer (
    organisation TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (organisation, key)
);

-- meta --
SELECT value FROM meta WHERE name = :name;

-- keep_meta --
INSERT INTO meta (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- organisations --
SELECT id, body FROM organisation ORDER BY number;

-- organisation --
SELECT body FROM organisation WHERE id = :id;

-- keep_organisation --
INSERT INTO organisation (id, number, body)
VALUES (:id, (SELECT count(*) FROM organisation), :body)
ON CONFLICT (id) DO UPDATE SET body = excluded.body;

-- record --
SELECT * FROM record WHERE organisation = :organisation AND collection = :collection AND id = :id;

-- keep_record --
INSERT INTO record (organisation, collection, id, kind, status, label, code, contact, target, owner,
                    updated_ms, open_cents, due_on, native, body)
VALUES (:organisation, :collection, :id, :kind, :status, :label, :code, :contact, :target, :owner,
        :updated_ms, :open_cents, :due_on, :native, :body)
ON CONFLICT (organisation, collection, id) DO UPDATE SET
    kind = excluded.kind, status = excluded.status, label = excluded.label, code = excluded.code,
    contact = excluded.contact, target = excluded.target, owner = excluded.owner,
    updated_ms = excluded.updated_ms, open_cents = excluded.open_cents, due_on = excluded.due_on,
    body = excluded.body;

-- drop_record --
DELETE FROM record WHERE organisation = :organisation AND collection = :collection AND id = :id;

-- page --
SELECT * FROM record
WHERE organisation = :organisation AND collection = :collection
  AND updated_ms >= :since_ms
  AND (:kind IS NULL OR kind = :kind)
  AND (:contact IS NULL OR contact = :contact)
  AND (:archived OR status <> 'ARCHIVED')
  AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
  AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
  AND (:contacts IS NULL OR contact IN (SELECT value FROM json_each(:contacts)))
  AND (:codes IS NULL OR code IN (SELECT value FROM json_each(:codes)))
ORDER BY updated_ms, number
LIMIT :limit OFFSET :offset;

-- page_by_id --
SELECT * FROM record
WHERE organisation = :organisation AND collection = :collection
  AND updated_ms >= :since_ms
  AND (:kind IS NULL OR kind = :kind)
  AND (:contact IS NULL OR contact = :contact)
  AND (:archived OR status <> 'ARCHIVED')
  AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
  AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
  AND (:contacts IS NULL OR contact IN (SELECT value FROM json_each(:contacts)))
  AND (:codes IS NULL OR code IN (SELECT value FROM json_each(:codes)))
ORDER BY id
LIMIT :limit OFFSET :offset;

-- count --
SELECT count(*) FROM record
WHERE organisation = :organisation AND collection = :collection
  AND updated_ms >= :since_ms
  AND (:kind IS NULL OR kind = :kind)
  AND (:contact IS NULL OR contact = :contact)
  AND (:archived OR status <> 'ARCHIVED')
  AND (:statuses IS NULL OR status IN (SELECT value FROM json_each(:statuses)))
  AND (:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))
  AND (:contacts IS NULL OR contact IN (SELECT value FROM json_each(:contacts)))
  AND (:codes IS NULL OR code IN (SELECT value FROM json_each(:codes)));

-- all_of --
SELECT * FROM record WHERE organisation = :organisation AND collection = :collection ORDER BY number;

-- by_label --
SELECT * FROM record
WHERE organisation = :organisation AND collection = :collection AND label = :label
ORDER BY number;

-- by_code --
SELECT * FROM record
WHERE organisation = :organisation AND collection = :collection AND code = :code
ORDER BY number;

-- by_target --
SELECT * FROM record
WHERE organisation = :organisation AND target = :target AND collection = :collection
  AND status <> 'DELETED'
ORDER BY number;

-- by_owner --
SELECT * FROM record
WHERE organisation = :organisation AND owner = :owner AND collection = :collection
  AND status <> 'DELETED'
ORDER BY number;

-- trading --
SELECT DISTINCT contact, kind FROM record
WHERE organisation = :organisation AND collection IN ('Invoices', 'CreditNotes')
  AND contact <> '' AND status IN ('AUTHORISED', 'PAID', 'VOIDED')
  AND (:contact IS NULL OR contact = :contact);

-- outstanding --
SELECT contact, kind, sum(open_cents) AS open_cents,
       sum(CASE WHEN due_on <> '' AND due_on < :today THEN open_cents ELSE 0 END) AS overdue_cents
FROM record
WHERE organisation = :organisation AND status = 'AUTHORISED'
  AND collection IN ('Invoices', 'CreditNotes', 'Prepayments', 'Overpayments')
  AND (:contact IS NULL OR contact = :contact)
GROUP BY contact, kind;

-- post_line --
INSERT INTO journal_line (organisation, source, posted_on, account, control, contact, base_cents,
                          account_cents)
VALUES (:organisation, :source, :posted_on, :account, :control, :contact, :base_cents,
        :account_cents);

-- lines_of --
SELECT account, control, contact, sum(base_cents) AS base_cents, sum(account_cents) AS account_cents
FROM journal_line WHERE organisation = :organisation AND source = :source
GROUP BY account, control, contact;

-- trial_balance --
SELECT account, sum(base_cents) AS base_cents, sum(account_cents) AS account_cents
FROM journal_line WHERE organisation = :organisation GROUP BY account;

-- control_balances --
SELECT control, contact, sum(base_cents) AS base_cents
FROM journal_line WHERE organisation = :organisation AND control <> '' GROUP BY control, contact;

-- attachments --
SELECT id, file_name, mime_type, include_online, length(content) AS size_bytes FROM attachment
WHERE organisation = :organisation AND collection = :collection AND record = :record
ORDER BY number;

-- attachment --
SELECT id, file_name, mime_type, include_online, content FROM attachment
WHERE organisation = :organisation AND collection = :collection AND record = :record
  AND (id = :name OR file_name = :name);

-- keep_attachment --
INSERT INTO attachment (organisation, collection, record, id, file_name, mime_type, include_online,
                        content)
VALUES (:organisation, :collection, :record, :id, :file_name, :mime_type, :include_online, :content)
ON CONFLICT (organisation, collection, record, file_name) DO UPDATE SET
    mime_type = excluded.mime_type, include_online = excluded.include_online,
    content = excluded.content;

-- answer --
SELECT digest, status, body FROM answer
WHERE organisation = :organisation AND key = :key AND at_ms >= :since_ms;

-- keep_answer --
INSERT OR REPLACE INTO answer (organisation, key, digest, at_ms, status, body)
VALUES (:organisation, :key, :digest, :at_ms, :status, :body);
