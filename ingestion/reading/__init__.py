"""Reading a delivery: file in, typed batches and rejected rows out. Knows no database.

try:
    for batch in reading.batches(): ...
except DamagedFile:                      # roll back what was written, then
    for batch in reading.careful().batches(): ...
"""

from ingestion.reading.opening import open_reading
from ingestion.reading.rows import ACCEPTED_COLUMNS, BATCH_ROWS, Batch, Reading, RejectedRow, accepted_schema
from ingestion.refusals import DamagedFile, FileRefused, Undecided

__all__ = [
    "ACCEPTED_COLUMNS",
    "BATCH_ROWS",
    "Batch",
    "DamagedFile",
    "FileRefused",
    "Reading",
    "RejectedRow",
    "Undecided",
    "accepted_schema",
    "open_reading",
]
