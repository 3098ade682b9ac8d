"""Writes by `codat-accounting`: suppliers, bills, credit notes, payments of them, files."""

from typing import Any

from tests.clients.accounting_scene import NOBODY, Scene
from tests.clients.drive import Step

_TODAY = "2026-03-02T00:00:00"
_PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def a_bank_account_and_an_expense_account_are_chosen(scene: Scene) -> None:
    banks = scene.drive.call(
        "bank_accounts.list",
        **scene.ids,
        query=f"accountType=Debit&&status=Active&&currency={scene.made['currency']}",
    )
    scene.made["bank"] = banks.results[0].id
    expenses = scene.drive.call(
        "accounts.list", **scene.company, query="type=Expense&&status=Active", order_by="name"
    )
    scene.made["expense"] = expenses.results[0].id


def suppliers_are_pushed(scene: Scene) -> None:
    for name in ("A", "B"):
        supplier = {
            "supplier_name": f"Pushed by a client {name}",
            "contact_name": "Ada Example",
            "email_address": "ada@example.com",
            "phone": "+44 20 71234567",
            "addresses": [{"type": "Billing", "line1": "1 Mill Lane", "city": "Leeds"}],
            "default_currency": scene.made["currency"],
            "status": "Active",
        }
        pushed = scene.drive.call("suppliers.create", **scene.ids, supplier=supplier)
        supplier_id = scene.written(pushed)
        read = scene.drive.call("suppliers.get", **scene.company, supplier_id=supplier_id)
        scene.drive.expect(read.supplier_name == supplier["supplier_name"], str(read))
        scene.made[f"supplier {name}"] = supplier_id


def bills_are_pushed(scene: Scene) -> None:
    for number, (supplier, amount) in enumerate(
        (("A", "100.00"), ("A", "40.10"), ("A", "22.00"), ("B", "77.77"), ("A", "30.00")), start=1
    ):
        pushed = scene.drive.call(
            "bills.create", **scene.ids, bill=_bill(scene, f"CLIENT-{number}", supplier, amount)
        )
        scene.made[f"bill {number}"] = bill_id = scene.written(pushed)
        read = scene.drive.call("bills.get", **scene.company, bill_id=bill_id)
        scene.drive.expect(f"{read.amount_due:.2f}" == amount, str(read))


def _bill(scene: Scene, reference: str, supplier: str, amount: str) -> dict[str, Any]:
    return {
        "reference": reference,
        "supplier_ref": {"id": scene.made[f"supplier {supplier}"]},
        "issue_date": _TODAY,
        "due_date": _TODAY,
        "currency": scene.made["currency"],
        "status": "Open",
        "sub_total": amount,
        "tax_amount": "0",
        "total_amount": amount,
        "line_items": [_line(scene, amount)],
    }


def _line(scene: Scene, amount: str) -> dict[str, Any]:
    return {
        "description": "Timber",
        "quantity": "1",
        "unit_amount": amount,
        "tax_amount": "0",
        "account_ref": {"id": scene.made["expense"]},
        "tax_rate_ref": {"id": "NONE"},
    }


def a_bill_credit_note_is_pushed(scene: Scene) -> None:
    note = {
        "bill_credit_note_number": "CLIENT-CN",
        "supplier_ref": {"id": scene.made["supplier A"]},
        "issue_date": _TODAY,
        "currency": scene.made["currency"],
        "status": "Submitted",
        "sub_total": "25.00",
        "total_tax_amount": "0",
        "total_amount": "25.00",
        "total_discount": "0",
        "discount_percentage": "0",
        "remaining_credit": "25.00",
        "line_items": [_line(scene, "25.00")],
    }
    pushed = scene.drive.call("bill_credit_notes.create", **scene.ids, bill_credit_note=note)
    note_id = scene.made["note"] = scene.written(pushed)
    read = scene.drive.call("bill_credit_notes.get", **scene.company, bill_credit_note_id=note_id)
    scene.drive.expect(read.remaining_credit == 25, str(read))


def a_bill_is_paid_in_part_and_then_in_full(scene: Scene) -> None:
    _pay(scene, "part", [("bill 1", "60.00")], supplier="A")
    _due(scene, "bill 1", "40.00", "PartiallyPaid")
    _pay(scene, "rest", [("bill 1", "40.00")], supplier="A")
    _due(scene, "bill 1", "0.00", "Paid")


def two_bills_of_one_supplier_are_paid_by_a_batch(scene: Scene) -> None:
    _pay(scene, "batch", [("bill 2", "40.10"), ("bill 3", "10.00")], supplier="A")
    _due(scene, "bill 2", "0.00", "Paid")
    _due(scene, "bill 3", "12.00", "PartiallyPaid")


def bills_of_several_suppliers_are_paid_by_a_batch(scene: Scene) -> None:
    _pay(scene, "many", [("bill 3", "12.00"), ("bill 4", "77.77")], supplier=None)
    _due(scene, "bill 3", "0.00", "Paid")
    _due(scene, "bill 4", "0.00", "Paid")


def a_credit_note_is_used_on_a_bill(scene: Scene) -> None:
    links = [
        {"type": "Bill", "id": scene.made["bill 5"], "amount": "-25.00"},
        {"type": "CreditNote", "id": scene.made["note"], "amount": "25.00"},
    ]
    payment = {
        "supplier_ref": {"id": scene.made["supplier A"]},
        "total_amount": "0",
        "date": _TODAY,
        "currency": scene.made["currency"],
        "lines": [{"amount": "0", "links": links}],
    }
    pushed = scene.drive.call("bill_payments.create", **scene.paying, bill_payment=payment)
    scene.written(pushed)
    _due(scene, "bill 5", "5.00", "PartiallyPaid")
    note = scene.drive.call(
        "bill_credit_notes.get", **scene.payer, bill_credit_note_id=scene.made["note"]
    )
    scene.drive.expect(note.remaining_credit == 0, str(note))


def _pay(
    scene: Scene, reference: str, shares: list[tuple[str, str]], *, supplier: str | None
) -> None:
    total = sum(round(float(amount) * 100) for _, amount in shares) / 100
    payment: dict[str, Any] = {
        "account_ref": {"id": scene.made["bank"]},
        "total_amount": f"{total:.2f}",
        "date": _TODAY,
        "currency": scene.made["currency"],
        "reference": reference,
        "lines": [
            {
                "amount": amount,
                "links": [{"type": "Bill", "id": scene.made[bill], "amount": f"-{amount}"}],
            }
            for bill, amount in shares
        ],
    }
    if supplier:
        payment["supplier_ref"] = {"id": scene.made[f"supplier {supplier}"]}
    pushed = scene.drive.call(
        "bill_payments.create", **scene.paying, bill_payment=payment, timeout_in_minutes=60
    )
    operation = scene.ended(pushed)
    scene.drive.expect(operation["status"] == "Success", str(operation))
    scene.drive.expect(operation["timeoutInMinutes"] == 60, str(operation))
    for change in operation["changes"]:
        if change["recordRef"]["dataType"] == "billPayments":
            payment_id = change["recordRef"]["id"]
            scene.drive.call("bill_payments.get", **scene.payer, bill_payment_id=payment_id)


def _due(scene: Scene, bill: str, amount: str, status: str) -> None:
    read = scene.drive.call("bills.get", **scene.payer, bill_id=scene.made[bill])
    scene.drive.expect(f"{read.amount_due:.2f}" == amount and read.status == status, str(read))


def a_payment_of_an_unknown_bill_fails_with_its_reason(scene: Scene) -> None:
    payment = {
        "account_ref": {"id": scene.made["bank"]},
        "total_amount": "1.00",
        "date": _TODAY,
        "currency": scene.made["currency"],
        "lines": [{"amount": "1.00", "links": [{"type": "Bill", "id": NOBODY, "amount": "-1.00"}]}],
    }
    pushed = scene.drive.call("bill_payments.create", **scene.paying, bill_payment=payment)
    operation = scene.ended(pushed)
    scene.drive.expect(operation["status"] == "Failed", str(operation))
    scene.drive.expect(bool(operation["validation"]["errors"]), str(operation))


def a_bank_account_is_pushed(scene: Scene) -> None:
    account = {
        "account_name": "Opened by a client",
        "account_type": "Debit",
        "account_number": "12345678",
        "sort_code": "112233",
        "currency": scene.made["currency"],
        "nominal_code": "0997",
        "status": "Active",
    }
    pushed = scene.drive.call("bank_accounts.create", **scene.ids, bank_account=account)
    account_id = scene.written(pushed)
    read = scene.drive.call("bank_accounts.get", **scene.ids, account_id=account_id)
    scene.drive.expect(read.account_name == "Opened by a client", str(read))


def a_file_is_attached_to_a_bill_and_fetched_again(scene: Scene) -> None:
    drive, where = scene.drive, {**scene.paying, "bill_id": scene.made["bill 1"]}
    file = {"content": _PDF, "file_name": "delivery note.pdf", "content_type": "application/pdf"}
    drive.call("bills.upload_attachment", **where, attachment_upload={"file": file})

    def listed() -> Any:
        found = drive.call("bills.list_attachments", **where).attachments
        return next((one for one in found if one.name == "delivery note.pdf"), None)

    attached = drive.until(listed, what="the attachment")
    where["attachment_id"] = attached.id
    shown = drive.call("bills.get_attachment", **where)
    drive.expect(shown.file_size == len(_PDF), str(shown))
    drive.call("bills.download_attachment", **where)
    drive.expect(drive.last.content == _PDF, str(drive.last.content[:40]))
    drive.refused("bills.get_attachment", status=404, **{**where, "attachment_id": NOBODY})


def a_file_is_attached_to_a_bill_credit_note(scene: Scene) -> None:
    scene.drive.call(
        "bill_credit_notes.upload_attachment",
        **scene.paying,
        bill_credit_note_id=scene.made["note"],
        attachment_upload={"file": {"content": _PDF, "file_name": "credit.pdf"}},
    )


def a_write_without_consent_is_refused(scene: Scene) -> None:
    scene.drive.refused(
        "suppliers.create",
        status=404,
        company_id=scene.waiting_company_id,
        connection_id=scene.connection_id,
        supplier={"supplier_name": "Nobody", "status": "Active"},
    )


STEPS: list[Step] = [
    a_bank_account_and_an_expense_account_are_chosen,
    suppliers_are_pushed,
    bills_are_pushed,
    a_bill_credit_note_is_pushed,
    a_bill_is_paid_in_part_and_then_in_full,
    two_bills_of_one_supplier_are_paid_by_a_batch,
    bills_of_several_suppliers_are_paid_by_a_batch,
    a_credit_note_is_used_on_a_bill,
    a_payment_of_an_unknown_bill_fails_with_its_reason,
    a_bank_account_is_pushed,
    a_file_is_attached_to_a_bill_and_fetched_again,
    a_file_is_attached_to_a_bill_credit_note,
    a_write_without_consent_is_refused,
]
