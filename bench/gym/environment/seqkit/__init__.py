"""Attention helpers, vendored."""
