"""Reproducible measurements of the real thing, beside a yardstick: see README.md."""
