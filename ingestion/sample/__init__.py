"""A sample year of a small shop, the same bytes for the same seed: what `shopx demo` loads.

Put here: making sample files. Never here: reading them; nothing else may depend on what they hold.
Three shops and a web shop, June 2025 to May 2026: seasons, weekdays, customers who come back or do not,
taxes, launches, stock, returns, and what happens to every real shop: a damaged export, corrected orders, a
file sent twice, a file whose dates can be read in two ways, an order far beyond the usual.
"""

from ingestion.sample.files import write_sample

__all__ = ["write_sample"]
