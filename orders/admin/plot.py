"""Plot of today's orders by hour beside last week's, as geometry for an SVG template."""

from dataclasses import dataclass
from typing import Final

from orders.services.console.overview import Hours

WIDTH: Final = 720
HEIGHT: Final = 180
STEP: Final = WIDTH / 24
FEWEST: Final = 4  # orders at full height, so that one order an hour does not look like a peak


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: the numbers of orders and the heights of their bars; `x` is the left edge."""

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
    """The bars, and a summary in words."""

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
    """Return a summary that compares whole hours, because the current hour is incomplete."""
    now, then = sum(hours.today[: hours.hour]), sum(hours.last_week[: hours.hour])
    return (
        f"{sum(hours.today):,} orders placed today."
        f" Until {hours.hour:02d}:00 it was {now:,}, and {then:,} last {hours.day:%A};"
        f" {sum(hours.last_week):,} in all of that day."
    )
