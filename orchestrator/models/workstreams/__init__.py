"""What moves through a version, and the record of it."""
