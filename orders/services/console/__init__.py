"""Services that only the console uses."""
