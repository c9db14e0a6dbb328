"""The chaos harness: a real daemon is killed and its world broken, then the effects are counted."""
