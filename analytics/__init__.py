"""What models of statistics say about the facts: what to expect, and what was not to be expected.

Put here: forecasts and anomalies. They read the aggregates of core and write tables of core, which dbt
takes as sources of marts. Never here: a figure that SQL can add up (dbt_project), or when any of it runs
(orchestration). Everything is a pure function of core and as_of, so a build made again writes the same
rows.
"""
