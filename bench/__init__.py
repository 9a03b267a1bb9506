"""Reproducible measurements of a real installation, with a yardstick: see README.md."""
