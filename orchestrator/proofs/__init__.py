"""What others check proofs with: a script and a page that need nothing else of this package."""
