"""Holds: rules, actions and the release of due holds."""
