"""Sheets that people edit: CSV and Excel files with a row for each product and a column for each field."""
