"""A shop that does not exist: years of its sales as files it would deliver, and the true totals beside them.

Put here what makes such a shop: demand, catalogue, people, orders, what later happens to them, mess, files.
Never here: reading or loading; nothing in this folder imports from the rest of ingestion, so that what is
expected of a load is worked out without it.

Everything is drawn as whole numbers from streams that are keyed by seed, subject and month: the same seed
gives the same bytes on any machine, and more days never change the days before.
"""
