"""Configuration on the clock. A task makes one call and holds no rules."""

from celery import shared_task

from configuration.services import tokens


@shared_task(name="configuration.forget_expired_tokens", ignore_result=True)
def forget_expired_tokens() -> None:
    """Delete what expired; nothing depends on when, since an expired token is refused anyway."""
    tokens.forget_expired_tokens()
