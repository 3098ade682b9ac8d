-- schema --
CREATE TABLE IF NOT EXISTS code (
    digest TEXT PRIMARY KEY,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    event TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS access_token (
    digest TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    scope TEXT NOT NULL,
    expires_ms INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS refresh_token (
    digest TEXT PRIMARY KEY,
    event TEXT NOT NULL,
    scope TEXT NOT NULL,
    issued_ms INTEGER NOT NULL,
    used_ms INTEGER
);
CREATE TABLE IF NOT EXISTS connection (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL UNIQUE,
    event TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
);

-- keep_code --
INSERT INTO code (digest, redirect_uri, scope, event, expires_ms)
VALUES (:digest, :redirect_uri, :scope, :event, :expires_ms);

-- code --
SELECT redirect_uri, scope, event, expires_ms FROM code WHERE digest = :digest;

-- use_code --
DELETE FROM code WHERE digest = :digest;

-- keep_access_token --
INSERT INTO access_token (digest, event, scope, expires_ms)
VALUES (:digest, :event, :scope, :expires_ms);

-- access_token --
SELECT event, scope, expires_ms FROM access_token WHERE digest = :digest;

-- expire_access_token --
UPDATE access_token SET expires_ms = :expires_ms WHERE digest = :digest;

-- forget_access_tokens --
DELETE FROM access_token WHERE expires_ms < :before_ms;

-- keep_refresh_token --
INSERT INTO refresh_token (digest, event, scope, issued_ms, used_ms)
VALUES (:digest, :event, :scope, :issued_ms, NULL);

-- refresh_token --
SELECT event, scope, issued_ms, used_ms FROM refresh_token WHERE digest = :digest;

-- use_refresh_token --
UPDATE refresh_token SET used_ms = coalesce(used_ms, :used_ms) WHERE digest = :digest;

-- revoke_access_tokens --
DELETE FROM access_token;

-- revoke_refresh_tokens --
DELETE FROM refresh_token;

-- revoke_connections --
DELETE FROM connection;

-- revoke_refresh_tokens_of --
DELETE FROM refresh_token WHERE event IN (SELECT event FROM connection WHERE tenant = :tenant);

-- connections --
SELECT c.id, c.tenant, c.event, c.created_ms, c.updated_ms, o.body
FROM connection AS c JOIN organisation AS o ON o.id = c.tenant
WHERE (:event IS NULL OR c.event = :event)
ORDER BY c.created_ms, c.id;

-- connection_of --
SELECT id FROM connection WHERE tenant = :tenant;

-- connect --
INSERT INTO connection (id, tenant, event, created_ms, updated_ms)
VALUES (:id, :tenant, :event, :now_ms, :now_ms)
ON CONFLICT (tenant) DO UPDATE SET event = excluded.event, updated_ms = excluded.updated_ms;

-- disconnect --
DELETE FROM connection WHERE id = :id;

-- disconnect_tenant --
DELETE FROM connection WHERE tenant = :tenant;
