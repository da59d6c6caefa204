"""The command line `orchestrator`: speaks REST and nothing else, with the standard library alone, so that an
agent's machine needs no Django.
"""
