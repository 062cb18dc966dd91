"""Rules: evidence to facts, facts to symptoms, causes and fixes."""
