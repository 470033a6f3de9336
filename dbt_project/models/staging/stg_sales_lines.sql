-- The fold itself is a macro, because a build that touches a few orders folds those alone (build_lines).
{{ current_sales_lines(source('raw', 'sales_lines')) }}
