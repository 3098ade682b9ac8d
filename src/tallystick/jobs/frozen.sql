-- let_go --
-- Longer than a renewal of a token, the only call made inside a transaction, may take.
set local idle_in_transaction_session_timeout = '15s'
