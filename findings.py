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
    day_text,
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
        return f"until {day_text(end - timedelta(days=1))}"
    return f"from {day_text(start)}" if start else ""


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
        codes, pages = _codes(summary, chosen), names_text(chosen)
        if not summary.everyone.known[codes].any():
            return f"No time on {pages} is known."
        theirs = float(seconds[codes].sum())
        return (
            f"Everyone together spent {duration_text(theirs)} on {pages}: "
            f"{_percent(theirs, whole)} of {duration_text(whole)}."
        )
    top = int(seconds.argmax())
    words = f"Everyone together spent {duration_text(whole)}"
    page = name_text(summary.pages[top])
    if seconds[top] == whole:
        return f"{words}, all of it on {page}."
    return f"{words}, the largest part on {page}: {_percent(seconds[top], whole)}."


def user_average(summary: Summary, view: View) -> str:
    """The sentence under the chosen statistic by page."""
    statistic, chosen = view.statistic, view.selection.pages
    rows = tables.page_rows(summary, summary.who, chosen)
    who, user, everyone = view.selection.user or "", rows.user, rows.everyone
    words = []
    if user is None:
        words.append("Pick a user to see them beside everyone.")
    elif not user.known.any():
        return f"{name_text(who)} has no session of known duration."
    else:
        own, usual = by_page(user, statistic), by_page(everyone, statistic)

        def beside(row: int) -> str:
            return (
                f"{name_text(who)}'s {_noun(statistic)} on {name_text(rows.names[row])}"
                f" is {duration_text(own[row])} (n = {user.known[row]:,}), "
                f"everyone's {duration_text(usual[row])}."
            )

        sure = (user.known >= FEW) & (usual >= 0)
        named = np.arange(len(sure)) < rows.n_named
        picked = np.array([name in chosen for name in rows.names], bool) & named
        # A page says more than all the others together; of picked ones alone is said.
        for better in (usual > 0, named):
            sure = sure & better if (sure & better).any() else sure
        if chosen and not user.known[picked].any():
            return f"{name_text(who)} has no known duration on {names_text(chosen)}."
        if chosen and not (sure & picked).any():
            words.append(beside(int(np.where(picked, user.known, 0).argmax())))
            sure = sure & False
        elif chosen:
            sure = sure & picked
        if (sure & (usual > 0)).any():
            extremes = _extremes(rows.names, user, everyone, sure, statistic)
            words.append(f"{name_text(who)} spends {extremes}.")
        elif sure.any():
            # There is no ratio to nothing.
            words.append(beside(int(np.where(sure, own, -1).argmax())))
        if ((user.known > 0) & (user.known < FEW) & (usual >= 0)).any():
            words.append(
                f"Faint bars: fewer than {FEW} known durations, so weak evidence."
            )
    if statistic != "average":
        if np.count_nonzero(summary.who.sessions) > (rows.n_named + 1):
            words.append(
                f"The {rows.names[-1]} have no bar: a {_noun(statistic)} of several "
                "pages isn't the sum of theirs."
            )
        if not summary.everyone.exact:
            words.append(f"Everyone's {_noun(statistic)} is accurate to 1 %.")
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
    with np.errstate(over="ignore"):
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
    notes = ["P90"] if statistic == "p90" else []
    who = name_text(view.selection.user or "")
    if user is not None and user.known.any():
        n_user = int(user.known.sum())
        notes += [f"n = {n_user:,}", *_weak(n_user)]
        theirs = overall(user, statistic)
        ratio = f"{ratio_text(theirs, usual)} × " if usual else ""
        words = (
            f"{_lasts(who, statistic, theirs)} ({', '.join(notes)}), "
            f"{ratio}everyone's {duration_text(usual)}."
        )
    else:
        notes += [f"n = {n:,}", *_weak(n)] if n < FEW else []
        words = _lasts("Everyone", statistic, usual)
        words += f" ({', '.join(notes)})." if notes else "."
        if user is not None:
            words = f"{who} has no session of known duration. {words}"
    span = chips(view).get("durations")
    if span:
        share = _percent(within.everyone.known.sum(), n)
        if user is not None:
            share += " of everyone's"
        if user is not None and within.user is not None and user.known.any():
            part = _percent(within.user.known.sum(), user.known.sum())
            share = f"{part} of these and {share}"
        words += f" {share} last {span.replace('and longer', 'or longer')}."
    if unknown and user is None:
        words += f" {count_text(unknown, 'session')} of unknown duration left out."
    elif unknown and user is not None:
        words += (
            f" Unknown durations left out: {user.unknown.sum():,} of {who}'s, "
            f"{unknown:,} of everyone's."
        )
    return words


def timeline(summary: Summary, within: Summary, view: View) -> str:
    """The sentence under the timeline; *within* is the summary of the picked dates."""
    who, usual = summary.who, summary.everyone
    name = name_text(view.selection.user or "Everyone")
    if not who.sessions.any():
        return f"{name} has no such session." if summary.user else "No such session."
    if view.timeline == "time" and not who.known.any():
        return f"{name} has no session of known duration."
    if within.selection.start or within.selection.end:
        return _dates_compared(summary, within, view)
    line = tables.periods(summary, view.timeline)
    values = line.everyone if line.user is None else line.user
    complete = ~line.incomplete
    top = int(values.argmax())
    when = {"day": "on", "week": "from"}.get(line.unit, "in")
    when += f" {tables.period_texts(line.edges[top : top + 2])[0]}"
    most = _amount(float(values[top]), view)
    if len(values) == 1:
        words = [f"{most} {when}"]
        if line.user is not None and line.everyone[0] > 0:
            words[0] += f", {_times(values[0], line.everyone[0])} the average user's"
    else:
        words = [f"most, {most}, {when}"] if values[top] > 0 else []
        if complete.any():
            mean = float(values[complete].mean())
            usual_mean = float(line.everyone[complete].mean())
            words.insert(0, f"{_amount(mean, view)} a {line.unit}")
            if line.user is not None and usual_mean > 0:
                words[0] += f", {_times(mean, usual_mean)} the average user's"
    text = f"{name}: {'; '.join(words or [most])}."
    if line.incomplete.any():
        text += f" Hatched: a {line.unit} that the data has only a part of."
    if view.timeline == "time" and usual.unknown.any():
        text += " Unknown durations left out."
    return text


def _dates_compared(summary: Summary, within: Summary, view: View) -> str:
    inside, all_ = within.who, summary.who
    n_in, n_all = int(within.weekdays.sum()), int(summary.weekdays.sum())
    of = name_text(view.selection.user or "everyone")
    dates = dates_text(view.selection.start, view.selection.end)
    words = f"{_capital(dates)}, {of}: "
    known, others = int(inside.known.sum()), int(all_.known.sum() - inside.known.sum())
    n_others = int(all_.sessions.sum() - inside.sessions.sum())
    if view.timeline == "sessions":
        n, n_other, none = int(inside.sessions.sum()), n_others, "no session"
        part, whole = float(inside.sessions.sum()), float(all_.sessions.sum())
    else:
        n, n_other, none = known, others, "no known time"
        part, whole = (float(t.seconds.sum()) for t in (inside, all_))
    rate = part / max(n_in, 1)
    words += f"{_amount(rate, view)} a day" if n else none
    if n_all > n_in:
        other = (whole - part) / (n_all - n_in)
        usual = f"{_amount(other, view)} a day" if n_other else none
        if n and other > 0:
            words += f", {_times(rate, other)} the other days' {_amount(other, view)}"
        else:
            words += f"; the other days: {usual}"
    if known and others:
        mean = float(inside.seconds.sum()) / known
        other = float(all_.seconds.sum() - inside.seconds.sum()) / others
        notes = ", ".join([f"n = {known:,}", *_weak(min(known, others))])
        times = f"{_times(mean, other)} " if other > 0 else ""
        words += (
            f". Sessions last {duration_text(mean)} on average ({notes}), "
            f"{times}the other days' {duration_text(other)}"
        )
    return words + "."


def hours(summary: Summary, view: View) -> str:
    """The sentence under the map of hours and weekdays."""
    who = summary.who
    name = name_text(view.selection.user or "")
    if not who.hours.any():
        return f"{name} has no such session." if name else "No such session."
    window = _half(who.hours.sum(axis=0))
    text = f"At least half of {_whose(name)} sessions begin between {window}"
    if name:
        text += f" (everyone's: between {_half(summary.everyone.hours.sum(axis=0))})"
    rates = np.nan_to_num(tables.per_weekday(who, summary))
    day, hour = divmod(int(rates.argmax()), 24)
    evidence = " Weak evidence: few sessions." if who.hours.sum() < FEW else ""
    return (
        f"{text}; the busiest hour is {WEEKDAYS[day]}, {hour}:00 to {hour + 1}:00."
        f"{evidence}"
    )


def darkest(summary: Summary) -> str:
    """What the strongest colour of that map stands for."""
    rates = np.nan_to_num(tables.per_weekday(summary.who, summary))
    rate = float(rates.max())
    return f"{rate_text(rate)} {_sessions(rate)} an hour"


class Tile(NamedTuple):
    """A number of the picked sessions, and everyone's beside it."""

    label: str
    value: str
    beside: str


def tiles(summary: Summary, view: View) -> dict[str, Tile]:
    """The tiles by ``ids.TILES``."""
    who, everyone, statistic = summary.who, summary.everyone, view.statistic
    alone = summary.user is None
    n, n_all = int(who.sessions.sum()), int(everyone.sessions.sum())
    time, time_all = float(who.seconds.sum()), float(everyone.seconds.sum())
    typical, usual = overall(who, statistic), overall(everyone, statistic)
    known, n_known = int(who.known.sum()), int(everyone.known.sum())
    weak = "".join(f", {words}" for words in _weak(known))
    label = f"{STATISTICS[statistic]} session"
    if alone:
        of_all = summary.n_sessions
        n_days = int(summary.weekdays.sum())
        return {
            "sessions": Tile("Sessions", f"{n:,}", f"{_percent(n, of_all)} of all"),
            "total": Tile("Total time", _known(time, known), f"n = {known:,}"),
            "typical": Tile(label, _known(typical, known), f"n = {known:,}{weak}"),
            "active": Tile(
                "Active days", f"{who.active_days:,}", f"of {count_text(n_days, 'day')}"
            ),
            "last": Tile("Last seen", instant_text(who.last), ""),
        }
    # Beside what isn't known or is nothing stands everyone's alone.
    share, ratio = f"everyone: {_known(time_all, n_known)}", "everyone: "
    if known and time_all:
        share = f"{_percent(time, time_all)} of everyone's {duration_text(time_all)}"
    if known and usual:
        ratio = f"{_times(typical, usual)} everyone's "
    return {
        "sessions": Tile(
            "Sessions", f"{n:,}", f"{_percent(n, n_all)} of everyone's {n_all:,}"
        ),
        "total": Tile("Total time", _known(time, known), share),
        "typical": Tile(
            label, _known(typical, known), f"{ratio}{_known(usual, n_known)}{weak}"
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
        has = "has" if shown.n_found == 1 else "have"
        return (
            f"{shown.n_found:,} of {count_text(shown.n_all, 'user')} {has} "
            f"“{name_text(view.find)}” in the name."
        )
    if not shown.n_all:
        return "No user has such a session."
    users = count_text(shown.n_all, "user")
    if chips(view):
        users += f" {'has' if shown.n_all == 1 else 'have'} such sessions"
    return f"{users}; a click picks one."


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
    whose = "everyone" if who == "Everyone" else who
    return f"90 % of {whose}'s sessions last up to {length}"


def _weak(n: int) -> list[str]:
    return ["weak evidence"] if 0 < n < FEW else []


def _times(value: float, other: float) -> str:
    return f"{ratio_text(value, other)} ×"


def _percent(part: float, whole: float) -> str:
    """A share; only all is "100 %", and only none is "0 %"."""
    if part in (0, whole):
        return "100 %" if part else "0 %"
    share = 100 * part / whole
    if share < 0.05:
        return "under 0.1 %"
    if share >= 99.95:
        return "over 99.9 %"
    return f"{share:.0f} %" if 9.95 <= share < 99.5 else f"{share:.1f} %"


def _known(seconds: float, n_known: int) -> str:
    return duration_text(seconds) if n_known and seconds >= 0 else "unknown"


def _amount(value: float, view: View) -> str:
    if view.timeline == "time":
        return duration_text(value)
    return f"{rate_text(value)} {_sessions(value)}"


def _sessions(value: float) -> str:
    return "session" if value == 1 else "sessions"


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
