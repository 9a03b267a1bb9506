"""Forms of values that every app shares: names, times, countries."""
