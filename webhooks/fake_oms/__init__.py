"""A pretend external OMS that can be good, or bad in one way of many: contract §c.

It stands on the standard library (and `cryptography`, for certificates), so that it starts at once.
"""
