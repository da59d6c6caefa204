"""What REST, MCP and every `--json` take and give: each body and each answer once, by area.

Bodies are pydantic models, because they check what somebody sent. Answers are frozen dataclasses that queries
fill. Nothing here reads rows or decides: the package knows the words of `core` and no other part of the
house.
"""
