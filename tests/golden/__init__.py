"""Golden files: what clients and subscribers receive, compared byte by byte with what is stored."""
