"""Dashboards as code: one YAML file per dashboard is the source of every surface that shows figures.

Put here: boards/ (the dashboards), spec/ (what a board is), answers/ (the one engine that answers a card),
lint/ (what a board must keep), formats and palette, and a package per surface. Never here: how a figure is
made (dbt_project), or who is sent one (reports).
"""
