"""The case library: every incident, and which fix worked."""
