"""Which methods of the official clients must be answered; every other one must be refused."""

PLATFORM = frozenset(
    {
        "companies.create",
        "companies.delete",
        "companies.get",
        "companies.get_access_token",
        "companies.get_company_sync_settings",
        "companies.list",
        "companies.replace",
        "companies.set_company_sync_settings",
        "companies.update",
        "connection_management.get",
        "connections.create",
        "connections.delete",
        "connections.get",
        "connections.list",
        "connections.unlink",
        "connections.update_authorization",
        "cors.get",
        "cors.set",
        "integrations.get",
        "integrations.get_branding",
        "integrations.list",
        "push_data.get_model_options",
        "push_data.get_operation",
        "push_data.list_operations",
        "read_data.get_validation_results",
        "refresh_data.all",
        "refresh_data.by_data_type",
        "refresh_data.get",
        "refresh_data.get_pull_operation",
        "refresh_data.list_pull_operations",
        "settings.create_api_key",
        "settings.delete_api_key",
        "settings.get",
        "settings.get_profile",
        "settings.get_sync_settings",
        "settings.list_api_keys",
        "settings.set",
        "settings.update_profile",
        "settings.update_sync_settings",
        "webhooks.create_consumer",
        "webhooks.delete_consumer",
        "webhooks.list_consumers",
    }
)

REFUSALS = range(400, 429)
"""What cannot be had here: neither a server error nor a limit, both of which the clients retry."""

UNREADABLE = frozenset({"settings.delete_api_key"})
"""Answers with 204, which cannot have a body (RFC 9110, 15.3.5), where the client wants one."""

REFUSED_ON_PURPOSE = frozenset({"connections.update_authorization"})
"""Routes that exist and answer with a reason: tokens from elsewhere are not taken."""

ACCOUNTING = frozenset(
    {
        "accounts.get",
        "accounts.list",
        "bank_accounts.create",
        "bank_accounts.get",
        "bank_accounts.get_create_update_model",
        "bank_accounts.list",
        "bill_credit_notes.create",
        "bill_credit_notes.get",
        "bill_credit_notes.get_create_update_model",
        "bill_credit_notes.list",
        "bill_credit_notes.upload_attachment",
        "bill_payments.create",
        "bill_payments.get",
        "bill_payments.get_create_model",
        "bill_payments.list",
        "bills.create",
        "bills.download_attachment",
        "bills.get",
        "bills.get_attachment",
        "bills.get_create_update_model",
        "bills.list",
        "bills.list_attachments",
        "bills.upload_attachment",
        "company_info.get",
        "company_info.refresh",
        "credit_notes.get",
        "credit_notes.list",
        "customers.get",
        "customers.list",
        "invoices.get",
        "invoices.list",
        "items.get",
        "items.list",
        "payments.get",
        "payments.list",
        "payments.payments",
        "suppliers.create",
        "suppliers.get",
        "suppliers.get_create_update_model",
        "suppliers.list",
        "tax_rates.get",
        "tax_rates.list",
        "tracking_categories.get",
        "tracking_categories.list",
    }
)

WITHIN = {"accounting": ACCOUNTING, "platform": PLATFORM}

UNKNOWN = frozenset({"secret", "settlement", "resolution", "accountingPlatformRef"})
"""Members that a client does not know: our own, and one that is newer than codat-accounting."""

NULLABLE = frozenset({"createdByUserName"})
"""Members whose description allows null."""
