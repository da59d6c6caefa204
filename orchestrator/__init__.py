"""Plan-to-Execution Orchestrator."""

#: The same as in pyproject.toml.
__version__ = "0.1.0"
