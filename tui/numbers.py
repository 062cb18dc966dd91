"""Numbers, durations and dates as people read them."""

from __future__ import annotations

import math
from datetime import datetime


def number(value: float | int | str | bool | None, digits: int = 4) -> str:
    """Return a number in at most ``digits`` significant digits: 0.3124, 1.25e-05, 12,400, NaN, inf."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return {"nan": "NaN"}.get(value, value)
    return _finite(value, digits) if math.isfinite(value) else f"{value}".replace("nan", "NaN")


def _finite(value: float, digits: int) -> str:
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}"
    if not 1e-3 <= abs(value) < 1e6:
        return _scientific(value, digits)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def _scientific(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{max(digits - 2, 0)}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def times(ratio: float | int | str | None) -> str:
    """Return a ratio as ``12x``, ``1.4x`` or ``-``."""
    if not isinstance(ratio, float | int):
        return number(ratio) if ratio else "-"
    if not math.isfinite(ratio):
        return number(ratio)
    return f"{ratio:.0f}x" if ratio >= 10 else f"{ratio:.1f}x"


def percent(share: float) -> str:
    """Return a share between 0 and 1 as ``92 %``."""
    return f"{round(100 * share)} %"


def duration(seconds: float) -> str:
    """Return a time span in its two largest units: ``3 h 12 min``."""
    if not math.isfinite(seconds) or seconds < 0:
        return "-"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 and rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def when(timestamp: float, now: float) -> str:
    """Return a moment in local time: ``14:05`` today, else ``24 Nov 14:05`` or ``2024-03-01``."""
    if timestamp <= 0:
        return "-"
    moment, present = (datetime.fromtimestamp(value).astimezone() for value in (timestamp, now))
    if moment.date() == present.date():
        return moment.strftime("%H:%M")
    if abs(now - timestamp) < 180 * 86400:
        return f"{moment.day} {moment.strftime('%b %H:%M')}"
    return moment.strftime("%Y-%m-%d")


def size(count: float) -> str:
    """Return a number of bytes as ``1.2 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
