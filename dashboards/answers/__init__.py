"""The one engine every surface asks: a card and a filter state in, rows of one publication out.

Put here: which days a period means, how filters reach SQL, how a figure compares, what may be said about it.
Never here: HTML, JSON, pictures; what a card is (spec/).
"""
