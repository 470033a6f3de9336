"""Exports of shop systems, known by their header: which of their columns is which of ours.

Put a system here when its export means something its header does not say by itself (one line per item with
the order's sums repeated, for instance). Names that mean one thing everywhere belong in feeds/sales_csv.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.matching import normalise


@dataclass(frozen=True)
class Export:
    """`signature`: names that all must be in the header; `columns`: ours -> theirs, where present; `keys`: of
    the contract; `note`: what a person should know."""

    system: str
    signature: tuple[str, ...]
    columns: dict[str, str]
    keys: dict[str, object] = field(default_factory=dict)
    note: str = ""


EXPORTS = (
    Export(
        "Shopify",
        ("Name", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price"),
        {
            "order_id": "Name", "date": "Created at", "product_name": "Lineitem name",
            "product_id": "Lineitem sku", "quantity": "Lineitem quantity", "unit_price": "Lineitem price",
            "discount": "Lineitem discount", "customer_email": "Email", "customer_name": "Billing Name",
            "currency": "Currency",
        },
        {"delivers": "orders"},
        "Subtotal, Shipping, Taxes, Total and Discount Amount are sums of the order and left out",
    ),
    Export(
        "WooCommerce",
        ("Order Number", "Order Status", "Order Date", "Item Name", "Item Cost"),
        {
            "order_id": "Order Number", "order_status": "Order Status", "date": "Order Date",
            "product_name": "Item Name", "product_id": "SKU", "quantity": "Quantity (- Refund)",
            "unit_price": "Item Cost", "customer_email": "Email (Billing)",
            "country": "Country Code (Billing)",
        },
        {"delivers": "orders"},
        "Order Total Amount and the other sums of the order are left out",
    ),
    Export(
        "Square",
        ("Date", "Item", "Qty", "Gross Sales", "Net Sales", "Transaction ID"),
        {
            "date": "Date", "order_id": "Transaction ID", "product_name": "Item", "product_id": "SKU",
            "category": "Category", "quantity": "Qty", "amount": "Gross Sales", "discount": "Discounts",
            "tax": "Tax", "store": "Location", "customer_id": "Customer ID", "customer_name": "Customer Name",
        },
        {"amount_is": "before_discount"},
        "Gross Sales is before discounts; Time stands in a column of its own and is left out",
    ),
    Export(
        "Lightspeed",
        ("Sale ID", "Description", "Qty", "Retail", "Subtotal", "Total"),
        {
            "date": "Date", "order_id": "Sale ID", "product_name": "Description", "product_id": "System ID",
            "quantity": "Qty", "unit_price": "Retail", "discount": "Discounts", "amount": "Subtotal",
            "customer_name": "Customer", "store": "Shop", "sales_rep": "Employee",
        },
        note="Subtotal is before tax, Total with it",
    ),
)  # fmt: skip


def known_export(header: Sequence[str]) -> Export | None:
    """The system whose export this is."""
    names = {normalise(name) for name in header}
    return next((one for one in EXPORTS if {normalise(name) for name in one.signature} <= names), None)
