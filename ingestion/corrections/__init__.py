"""Corrections of refused rows: out as one workbook, back by dropping it where deliveries are dropped.

fixes.py     raw.row_fixes, and which rows of a delivery wait for a correction
layout.py    how the workbook is laid out, and the hidden marks by which it is known again
writing.py   refused rows -> workbook
reading.py   workbook -> corrections
"""
