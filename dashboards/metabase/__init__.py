"""The dashboards in Metabase: brought there over its REST API, and kept as the files say.

Put here: what knows Metabase. Never here: what a dashboard shows (dashboards/boards) or what a figure means.
"""
