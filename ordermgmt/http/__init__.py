"""The base of the HTTP API: views, wire models, negotiation, problems, authentication."""
