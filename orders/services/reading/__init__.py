"""Reading of orders, from the database and from an external OMS."""
