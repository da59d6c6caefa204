"""Who acts: executors, tokens, signing in, policies."""
