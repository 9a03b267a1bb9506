"""The ground of the support console: Django's admin, ours in looks, ways in and borders."""
