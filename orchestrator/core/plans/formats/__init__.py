"""Readers of other tools' plans, one file each; every one answers with the same `Reading` as the native
reader.
"""
