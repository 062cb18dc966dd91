"""Spectral features, vendored in the releases that our images have."""
