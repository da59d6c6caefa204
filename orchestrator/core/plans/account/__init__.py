"""The account of a source: which lines look like work, and what the reading made of each (WF-2, AD-1)."""
