"""Readers of other tools' plans, one file each.

Every one answers with the same `Reading` as the native reader.
"""
