"""What a dashboard is, as data: the models of a board's YAML, and reading it.

Put here: the shape of the files in boards/ and the errors of a file that does not have it.
Never here: the warehouse (lint/ asks it), a surface (viewer, Metabase, mails).
"""
