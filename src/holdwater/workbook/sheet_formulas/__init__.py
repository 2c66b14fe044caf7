"""The workbook's own logic: written once in Python, translated for the cells, run for the values shown in them.

An empty cell is None here.
"""
