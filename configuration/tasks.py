"""Periodic tasks of the configuration app. A task makes one call and holds no rules."""

from celery import shared_task

from configuration.services import tokens


@shared_task(name="configuration.forget_expired_tokens", ignore_result=True)
def forget_expired_tokens() -> None:
    """Delete expired tokens at any time, because they are refused even while they are stored."""
    tokens.forget_expired_tokens()
