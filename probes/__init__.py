"""Probes: what rides in a training job and writes evidence."""
