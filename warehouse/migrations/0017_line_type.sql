-- A line is a sale unless it says otherwise: deliveries without returns need not send the word a million times.
alter table raw.sales_lines alter column line_type set default 'sale';
