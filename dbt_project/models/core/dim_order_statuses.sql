-- The words shop systems use for an order's state, and whether such a line is revenue. A word that is not listed
-- counts, and a test warns about it. Words are compared in lower case with underscores for spaces and hyphens.
with

dim_order_statuses as (

    select
        statuses.order_status,
        statuses.sale_counts,
        statuses.return_counts
    from (
        values
        -- paid for, or so far on its way that the shop treats it as sold
        ('completed', true, true),
        ('complete', true, true),
        ('closed', true, true),
        ('paid', true, true),
        ('processing', true, true),
        ('processed', true, true),
        ('invoiced', true, true),
        ('fulfilled', true, true),
        ('partially_fulfilled', true, true),
        ('shipped', true, true),
        ('partially_shipped', true, true),
        ('in_transit', true, true),
        ('resolved', true, true),
        ('delivered', true, true),
        ('picked_up', true, true),
        ('sold', true, true),
        ('sale', true, true),
        ('done', true, true),
        ('success', true, true),
        ('approved', true, true),
        ('confirmed', true, true),
        ('partially_refunded', true, true),
        -- not paid for yet
        ('pending', false, false),
        ('pending_payment', false, false),
        ('awaiting_payment', false, false),
        ('unpaid', false, false),
        ('open', false, false),
        ('new', false, false),
        ('draft', false, false),
        ('checkout_draft', false, false),
        ('quote', false, false),
        ('on_hold', false, false),
        ('disputed', false, false),
        -- never will be
        ('cancelled', false, false),
        ('canceled', false, false),
        ('failed', false, false),
        ('failure', false, false),
        ('declined', false, false),
        ('rejected', false, false),
        ('void', false, false),
        ('voided', false, false),
        ('expired', false, false),
        ('abandoned', false, false),
        ('deleted', false, false),
        ('trash', false, false),
        -- money went back: the sale is undone, while a return line with this word is what undoes another
        ('refunded', false, true),
        ('returned', false, true),
        ('return', false, true),
        ('refund', false, true)
    ) as statuses (order_status, sale_counts, return_counts)

)

select
    order_status,
    sale_counts,
    return_counts
from dim_order_statuses
