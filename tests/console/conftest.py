"""Tests of the console: here by Django's test client, in `browser/` by chromium on a running stack.

`client.force_login(person)`: the lock against guessed passwords wants a real request.
"""
