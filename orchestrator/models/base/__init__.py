"""Columns that several tables share, and what guards rows against change."""
