"""Pages beside Dagster's: what the gates found about a delivery, a run of the gate, a build, and what to do.

Put here: what these pages show (story.py), how they look (*.html, style.css) and where they stand
(serving.py). Never here: who may see them (orchestration/web.py), or a decision about data: a page leads to
the job that takes it.
"""
