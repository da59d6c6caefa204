"""A plan as rows: versions, their structure, what is said and decided about them."""
