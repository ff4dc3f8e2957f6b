"""What the numbers say, in words: a sentence for each chart, the tiles, the ranks."""

from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import ids
import tables
from activity import FEW, Activity, Summary, Tally
from tables import STATISTICS, WEEKDAYS, by_page, overall
from users import ByUser
from view import Statistic, View
from words import (
    count_text,
    days_text,
    duration_text,
    instant_text,
    name_text,
    names_text,
    ordinal,
    rate_text,
    ratio_text,
    span_text,
)


def chips(view: View) -> dict[str, str]:
    """The filters that are on, in words, by what they filter."""
    picked = view.selection
    found = {}
    if picked.start or picked.end:
        found["dates"] = dates_text(picked.start, picked.end)
    if picked.pages:
        found["pages"] = names_text(picked.pages)
    if picked.shortest is not None or picked.longest is not None:
        found["durations"] = span_text(picked.shortest, picked.longest)
    return found


def dates_text(start: date | None, end: date | None) -> str:
    """Dates of which either may be missing: "until 3 May 2024", "from 4 May 2024"."""
    if start and end:
        return days_text(start, end)
    if end:
        return f"until {days_text(end - timedelta(days=1), end)}"
    return f"from {days_text(start, start + timedelta(days=1))}" if start else ""


def caption(view: View) -> str:
    """Whose sessions are shown, and which of them: "user_7, March 2024, cart"."""
    who = view.selection.user
    return ", ".join([name_text(who) if who else "everyone", *chips(view).values()])


def total_time(summary: Summary, view: View) -> str:
    """The sentence under Total Time per Page."""
    seconds = summary.everyone.seconds
    whole = float(seconds.sum())
    if not summary.everyone.known.any():
        return "No time is known."
    if not whole:
        return "Everyone together spent 0 s."
    chosen = view.selection.pages
    if chosen:
        theirs = float(seconds[_codes(summary, chosen)].sum())
        return (
            f"Everyone together spent {duration_text(theirs)} on {names_text(chosen)}: "
            f"{100 * theirs / whole:.0f} % of {duration_text(whole)}."
        )
    top = int(seconds.argmax())
    return (
        f"Everyone together spent {duration_text(whole)}, the largest part on "
        f"{name_text(summary.pages[top])}: {100 * seconds[top] / whole:.0f} %."
    )


def user_average(summary: Summary, view: View) -> str:
    """The sentence under the chosen statistic by page."""
    statistic, chosen = view.statistic, view.selection.pages
    rows = tables.page_rows(summary, summary.user or summary.everyone, chosen)
    who, user, everyone = view.selection.user or "", rows.user, rows.everyone
    words = []
    if user is None:
        words.append("Pick a user to see them beside everyone.")
    elif not user.known.any():
        return f"{name_text(who)} has no session of known duration."
    else:
        sure = (user.known >= FEW) & (by_page(everyone, statistic) > 0)
        named = np.arange(len(sure)) < rows.n_named
        picked = np.array([name in chosen for name in rows.names], bool) & named
        for better in (named, picked):
            # A page says more than all the others together, a picked one most.
            sure = sure & better if (sure & better).any() else sure
        if sure.any():
            extremes = _extremes(rows.names, user, everyone, sure, statistic)
            words.append(f"{name_text(who)} spends {extremes}.")
        if ((user.known > 0) & (user.known < FEW)).any():
            words.append(
                f"Faint bars: fewer than {FEW} known durations, so weak evidence."
            )
        if not words:
            words.append(f"{name_text(who)} spends as long as everyone: 0 s.")
    if statistic != "average":
        if rows.n_named < len(rows.names):
            words.append(
                f"The {rows.names[-1]} have no bar: a {_noun(statistic)} of several "
                "pages isn't the sum of theirs."
            )
        if not summary.everyone.exact:
            words.append(f"Everyone's {_noun(statistic)} is within 1 %.")
    return " ".join(words)


def _extremes(
    names: list[str],
    user: Tally,
    everyone: Tally,
    sure: NDArray[np.bool_],
    statistic: Statistic,
) -> str:
    """On which page a user stays longest beside everyone, and on which shortest."""
    theirs, others = by_page(user, statistic), by_page(everyone, statistic)
    ratio = np.full(len(sure), np.nan)
    ratio[sure] = theirs[sure] / others[sure]
    most, least = int(np.nanargmax(ratio)), int(np.nanargmin(ratio))
    shown = (
        [most, least]
        if ratio[most] > 1 > ratio[least]
        else [most if ratio[most] > 1 else least]
    )
    parts: list[str] = []
    for row in shown:
        times = f"{ratio_text(theirs[row], others[row])} ×"
        if not parts:
            times += f" everyone's {_noun(statistic)}"
        name = name_text(names[row])
        parts.append(f"{times} on {name} (n = {user.known[row]:,})")
    return ", and ".join(parts)


def durations(summary: Summary, within: Summary, view: View) -> str:
    """The sentence under the distribution; *within* is that of the picked durations."""
    everyone, user, statistic = summary.everyone, summary.user, view.statistic
    n, unknown = int(everyone.known.sum()), int(everyone.unknown.sum())
    if not n:
        return "No duration is known."
    usual = overall(everyone, statistic)
    words = f"{_lasts('Everyone', statistic, usual)}."
    who = name_text(view.selection.user or "")
    if user is not None and not user.known.any():
        words = f"{who} has no session of known duration. {words}"
    elif user is not None:
        n_user = int(user.known.sum())
        theirs = overall(user, statistic)
        evidence = ", weak evidence" if n_user < FEW else ""
        ratio = f"{ratio_text(theirs, usual)} × " if usual else ""
        words = (
            f"{_lasts(who, statistic, theirs)} (n = {n_user:,}{evidence}), "
            f"{ratio}everyone's {duration_text(usual)}."
        )
    span = chips(view).get("durations")
    if span:
        share = f"{_percent(within.everyone.known.sum(), n)} of everyone's"
        if user is not None and within.user is not None and user.known.any():
            part = _percent(within.user.known.sum(), user.known.sum())
            share = f"{part} of these and {share}"
        words += f" {share} last {span}."
    if unknown:
        words += f" {unknown:,} of unknown duration left out."
    return words


def timeline(summary: Summary, within: Summary, view: View) -> str:
    """The sentence under the timeline; *within* is the summary of the picked dates."""
    who, usual = _who(summary), summary.everyone
    name = name_text(view.selection.user or "Everyone")
    if not who.sessions.any():
        return f"{name} has no session." if summary.user else "No session."
    if within.selection.start or within.selection.end:
        return _dates_compared(summary, within, view)
    line = tables.periods(summary, view.timeline)
    values = line.everyone if line.user is None else line.user
    complete = ~line.incomplete
    words = []
    if complete.any():
        mean = float(values[complete].mean())
        words.append(f"{name}: {_amount(mean, view)} a {line.unit}")
        if line.user is not None:
            ratio = ratio_text(mean, float(line.everyone[complete].mean()))
            words[0] += f", {ratio} × the average user"
    top = int(values.argmax())
    most = _amount(float(values[top]), view)
    period = tables.period_texts(line.edges[top : top + 2])[0]
    words.append(f"{'most' if words else 'Most'}, {most}, in {period}")
    text = f"{'; '.join(words)}."
    if line.incomplete.any():
        text += f" Hatched: a {line.unit} that the data has only a part of."
    if view.timeline == "time" and usual.unknown.any():
        text += " Unknown durations left out."
    return text


def _dates_compared(summary: Summary, within: Summary, view: View) -> str:
    inside, all_ = _who(within), _who(summary)
    n_in, n_all = int(within.weekdays.sum()), int(summary.weekdays.sum())
    of = name_text(view.selection.user or "everyone")
    dates = dates_text(view.selection.start, view.selection.end)
    words = f"{_capital(dates)}, {of}: "
    if view.timeline == "sessions":
        part, whole = float(inside.sessions.sum()), float(all_.sessions.sum())
    else:
        part, whole = (float(t.seconds.sum()) for t in (inside, all_))
    rate = part / max(n_in, 1)
    words += f"{_amount(rate, view)} a day"
    if n_all > n_in:
        other = (whole - part) / (n_all - n_in)
        words += f", {ratio_text(rate, other)} × the other days' {_amount(other, view)}"
    known, others = int(inside.known.sum()), int(all_.known.sum() - inside.known.sum())
    if known and others:
        mean = float(inside.seconds.sum()) / known
        other = float(all_.seconds.sum() - inside.seconds.sum()) / others
        words += (
            f". Sessions last {duration_text(mean)} on average (n = {known:,}), "
            f"{ratio_text(mean, other)} × the other days' {duration_text(other)}"
        )
    return words + "."


def hours(summary: Summary, view: View) -> str:
    """The sentence under the map of hours and weekdays."""
    who = _who(summary)
    name = name_text(view.selection.user or "")
    if not who.hours.any():
        return f"{name} has no session." if name else "No session."
    window = _half(who.hours.sum(axis=0))
    text = f"Half of {_whose(name)} sessions begin between {window}"
    if name:
        text += f" (everyone's: {_half(summary.everyone.hours.sum(axis=0))})"
    rates = np.nan_to_num(tables.per_weekday(who, summary))
    day, hour = divmod(int(rates.argmax()), 24)
    evidence = " Weak evidence: few sessions." if who.hours.sum() < FEW else ""
    return (
        f"{text}; the busiest hour is {WEEKDAYS[day]}, {hour}:00 to {hour + 1}:00."
        f"{evidence}"
    )


def darkest(summary: Summary) -> str:
    """What the strongest colour of that map stands for."""
    rates = np.nan_to_num(tables.per_weekday(_who(summary), summary))
    return f"{rate_text(float(rates.max()))} sessions an hour"


class Tile(NamedTuple):
    """A number of the picked sessions, and everyone's beside it."""

    label: str
    value: str
    beside: str


def tiles(summary: Summary, view: View) -> dict[str, Tile]:
    """The tiles by ``ids.TILES``."""
    who, everyone, statistic = _who(summary), summary.everyone, view.statistic
    alone = summary.user is None
    n, n_all = int(who.sessions.sum()), int(everyone.sessions.sum())
    time, time_all = float(who.seconds.sum()), float(everyone.seconds.sum())
    typical, usual = overall(who, statistic), overall(everyone, statistic)
    known = int(who.known.sum())
    weak = ", weak evidence" if 0 < known < FEW else ""
    label = f"{STATISTICS[statistic]} session"
    if alone:
        of_all = summary.n_sessions
        n_days = int(summary.weekdays.sum())
        return {
            "sessions": Tile("Sessions", f"{n:,}", f"{_percent(n, of_all)} of all"),
            "total": Tile("Total time", _known(time, known), f"n = {known:,}"),
            "typical": Tile(label, _known(typical, known), f"n = {known:,}"),
            "active": Tile(
                "Active days", f"{who.active_days:,}", f"of {count_text(n_days, 'day')}"
            ),
            "last": Tile("Last seen", instant_text(who.last), ""),
        }
    return {
        "sessions": Tile(
            "Sessions", f"{n:,}", f"{_percent(n, n_all)} of everyone's {n_all:,}"
        ),
        "total": Tile(
            "Total time",
            _known(time, known),
            f"{_percent(time, time_all)} of everyone's {duration_text(time_all)}",
        ),
        "typical": Tile(
            label,
            _known(typical, known),
            f"{ratio_text(typical, usual)} × everyone's {_known(usual, n_all)}{weak}",
        ),
        "active": Tile(
            "Active days",
            f"{who.active_days:,}",
            f"of everyone's {everyone.active_days:,}",
        ),
        "last": Tile(
            "Last seen",
            instant_text(who.last),
            f"everyone: {instant_text(everyone.last)}",
        ),
    }


def ranks(activity: Activity, numbers: ByUser, view: View) -> dict[str, str]:
    """The picked user's place in each of the tiles, "12th of 50", the largest first."""
    name = view.selection.user
    user = None if name is None else activity.code_of(name)
    if user is None:
        return dict.fromkeys(ids.TILES, "")
    there = numbers.sessions > 0
    typical = {
        "average": numbers.mean,
        "median": numbers.median,
        "p90": numbers.p90,
    }[view.statistic]
    known = numbers.known > 0
    return {
        "sessions": _rank(numbers.sessions, there, user),
        "total": _rank(numbers.seconds, known, user),
        "typical": _rank(typical, known, user),
        "active": _rank(numbers.active_days, there, user),
        "last": _rank(numbers.last, there, user),
    }


def _rank(values: NDArray[Any], among: NDArray[np.bool_], user: int) -> str:
    if not among[user]:
        return "no rank"
    place = 1 + int(np.count_nonzero(values[among] > values[user]))
    return f"{ordinal(place)} of {np.count_nonzero(among):,}"


def users(shown: tables.UsersShown, view: View) -> str:
    """The sentence over the table of users."""
    if view.find:
        users = count_text(shown.n_found, "user")
        return f"{users} of {shown.n_all:,} with “{name_text(view.find)}” in the name."
    return f"{count_text(shown.n_all, 'user')} with these sessions; a click picks one."


def _who(summary: Summary) -> Tally:
    return summary.everyone if summary.user is None else summary.user


def _codes(summary: Summary, pages: tuple[str, ...]) -> NDArray[np.intp]:
    picked = frozenset(pages)
    return np.flatnonzero([page in picked for page in summary.pages])


def _noun(statistic: Statistic) -> str:
    return {"average": "average", "median": "median", "p90": "P90"}[statistic]


def _lasts(who: str, statistic: Statistic, seconds: float) -> str:
    length = duration_text(seconds)
    if statistic == "average":
        return f"{who}'s sessions last {length} on average"
    if statistic == "median":
        return f"{who}'s median session lasts {length}"
    return (
        f"90 % of {who.replace('Everyone', 'everyone')}'s sessions last up to {length}"
    )


def _percent(part: float, whole: float) -> str:
    if not whole:
        return "–"
    share = 100 * part / whole
    return f"{share:.0f} %" if share >= 9.95 or not share else f"{share:.1f} %"


def _known(seconds: float, n_known: int) -> str:
    return duration_text(seconds) if n_known and seconds >= 0 else "unknown"


def _amount(value: float, view: View) -> str:
    if view.timeline == "time":
        return duration_text(value)
    return f"{rate_text(value)} {'session' if value == 1 else 'sessions'}"


def _half(counts: NDArray[np.int64]) -> str:
    """The shortest run of hours with half of the sessions, over midnight too."""
    total = counts.sum()
    around = np.concatenate(([0], np.cumsum(np.tile(counts, 2))))
    for length in range(1, 25):
        runs = around[length : length + 24] - around[:24]
        if 2 * runs.max() >= total:
            break
    start = int(runs.argmax())
    return f"{start}:00 and {(start + length - 1) % 24 + 1}:00"


def _whose(name: str) -> str:
    return f"{name}'s" if name else "everyone's"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
