"""Framework of the support console: Django's admin with our layout, sign-in and tenant scoping."""
