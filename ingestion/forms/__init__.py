"""Forms a delivery may come in: each module here turns one form into readable delimited text.

Put here what a form is, how its content gives it away, and how it is unpacked. Never what columns mean
(matching.py), never cutting text into records (reading/). A new form is one module with NAME, `recognise`
and `unpack`, added to FORMS in unpacking.py. Plain UTF-8 text is read as it lies, without a copy.
"""

from ingestion.forms.limits import Limits
from ingestion.forms.unpacked import Asked, Origin, Unpacked, Work
from ingestion.forms.unpacking import unpack

__all__ = ["Asked", "Limits", "Origin", "Unpacked", "Work", "unpack"]
