"""Tasks, attempts and what they hand over."""
