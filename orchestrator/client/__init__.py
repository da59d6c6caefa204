"""The command line `orchestrator`: speaks REST and nothing else, with the standard library alone, so that an
agent's machine needs no Django.
"""

#: The same as in pyproject.toml.
VERSION = "0.1.0"
