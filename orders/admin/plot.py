"""A plot of today's hours beside last week's, as a template draws it: no script, and it prints."""

from dataclasses import dataclass
from typing import Final

from orders.services.console.overview import Hours

WIDTH: Final = 720
HEIGHT: Final = 180
STEP: Final = WIDTH / 24
FEWEST: Final = 4  # that fill the height: one order an hour is no peak


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: how many then and now, and how high each stands; `x` is the left edge."""

    hour: int
    today: int
    last_week: int
    x: float
    today_height: float
    last_week_height: float

    @property
    def middle(self) -> float:
        return self.x + 13

    @property
    def inner_x(self) -> float:
        return self.x + 6

    @property
    def is_labeled(self) -> bool:
        return self.hour % 3 == 0

    @property
    def today_y(self) -> float:
        return HEIGHT - self.today_height

    @property
    def last_week_y(self) -> float:
        return HEIGHT - self.last_week_height


@dataclass(frozen=True, slots=True)
class Plot:
    """The bars, and the same in words."""

    bars: list[Bar]
    most: int
    sentence: str


def plot(hours: Hours) -> Plot:
    most = max(*hours.today, *hours.last_week, FEWEST)
    bars = [
        Bar(hour, now, then, hour * STEP, now * HEIGHT / most, then * HEIGHT / most)
        for hour, (now, then) in enumerate(zip(hours.today, hours.last_week, strict=True))
    ]
    return Plot(bars, most, _sentence(hours))


def _sentence(hours: Hours) -> str:
    """Compared by whole hours, so that the one under way does not look like a loss."""
    now, then = sum(hours.today[: hours.hour]), sum(hours.last_week[: hours.hour])
    return (
        f"{sum(hours.today):,} orders placed today."
        f" Until {hours.hour:02d}:00 it was {now:,}, and {then:,} last {hours.day:%A};"
        f" {sum(hours.last_week):,} in all of that day."
    )
