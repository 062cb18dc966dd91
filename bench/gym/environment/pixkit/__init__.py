"""Image layers of the house."""
