"""Full-text search: terms, queries, the index of each database, ranking and snippets."""
