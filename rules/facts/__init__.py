"""Facts: what rules see, computed from evidence."""
