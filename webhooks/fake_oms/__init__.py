"""Fake external OMS with many modes of failure (docs/contract.md, External order webhook).

It uses only the standard library, and `cryptography` for certificates, so that it starts fast.
"""
