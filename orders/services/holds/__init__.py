"""Holds: the rules that place them, the actions on them, and the due ones."""
