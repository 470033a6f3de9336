"""Sources: feeds whose deliveries are asked for rather than dropped: an API, a sheet, another database.

A source writes what it was given into one file of bytes, exactly as received; that file is a delivery like
any other: archived, hashed, entered in the ledger, validated, gated, held, replayed.

fetched.py     what a source hands to landing, and what it was asked for
asking.py      what to ask for next, from what the ledger holds
fetching.py    one feed at a time: ask, write, land
api.py         kind: api, the block of a contract
rest.py        kind: api, a delivery of its answers: paging.py from page to page, web.py each request
"""
