"""A log read as page views: blocks of lines, each of which is counted once."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from formatting import count_text, printable
from sources.logs.blocks import Block
from sources.logs.bots import Bots
from sources.logs.forms import USERS, Forms, find_forms, names_columns
from sources.logs.line import Form
from sources.logs.lines import COMMENTS, read_lines
from sources.logs.requests import Requests
from sources.logs.rules import kinds_of
from sources.logs.texts import decoded, is_blank, named, sites_of
from sources.options import STATUSES, ReadOptions
from sources.origin import BadInput, FileReport, add_up
from sources.pages import PageMerger, merge_names
from sources.parts import LeftOut
from sources.rows import Rows
from sources.times import TimeReader

HEAD_SIZE: Final = 1 << 16
"""The bytes by which a log is known."""

BLOCK_SIZE: Final = 1 << 23
"""Bytes that are read at a time."""

_SHOWN: Final = 60
_LONG_TEXT: Final = 240
_TOLD: Final = 3
_MANY: Final = 100
_MOST_SITES: Final = 50
_DAY: Final = 86_400 * 10**6
_WEB_BEGINS: Final = int(np.datetime64("1991-01-01", "us").astype(np.int64))

_Mask = NDArray[np.bool_]


def find_log(head: bytes, options: ReadOptions) -> "Log | None":
    """The log that begins with *head*, ``HEAD_SIZE`` bytes or all; None for others.

    Raises BadInput as ``find_forms`` does, and for options that no log has.
    """
    found = find_forms(head, options)
    if found and names_columns(options):
        raise BadInput(
            "a log has no columns to be named; of the options for them it knows "
            f"--user {' and --user '.join(USERS)} alone"
        )
    return Log(*found, options) if found else None


class Log:
    """A log, read once."""

    def __init__(
        self,
        forms: Forms,
        form: Form,
        header: bytes,
        options: ReadOptions,
    ) -> None:
        """*header* is the line that names fields, if the first one does."""
        self._forms = forms
        self._form = form
        # That of the first line; others in the file may differ.
        self._name = form.name
        self._header = header
        self._options = options
        self._sites = _sites(options)
        self._times = TimeReader(options.time_format, options.times_in)
        self._lines_of: Counter[str] = Counter()
        self._n_of_site: Counter[str] = Counter()
        self._odd_times: dict[str, LeftOut] = {}
        self._n_earlier = self._n_bots = self._n_unnamed = self._n_views = 0
        self._names_programs = False
        self._users: set[str] = set()
        self._last = -(1 << 62)

    def read(
        self,
        stream: BinaryIO,
        report: FileReport,
        merger: PageMerger,
        bots: Bots,
        block_size: int = BLOCK_SIZE,
    ) -> Iterator[Rows]:
        """The page views in the order of the file; *report* says what the rest is.

        *bots* knows the programs of all files that are read together. The durations of
        views are NaN: they follow from each user's next view.
        """
        report.is_log = report.is_derived = True
        lines = read_lines(stream, self._forms, self._form, self._header, block_size)
        for read in lines:
            report.rows += len(read.block.starts)
            self._lines_of.update(read.forms)
            every = _Lines(read.block)
            for what, mask in read.others.items():
                total = report.passed if what == COMMENTS else report.left_out
                every.count(total, what, mask)
            rows = self._views(_Requests(read.block, read.requests), report, bots)
            if self._options.merge_pages:
                rows = rows._replace(page=merge_names(rows.page, merger))
            report.sites = tuple(name for name, _ in self._told_sites(_MOST_SITES))
            report.understood = tuple(self._understood())
            report.notes = tuple(self._notes())
            yield rows

    def _views(self, lines: "_Requests", report: FileReport, bots: Bots) -> Rows:
        """The requests that are views; the others are counted."""
        requests, options = lines.requests, self._options
        times = self._times.read(pa.chunked_array([requests.time]))
        good = ~times.unreadable
        lines.count(report.left_out, "an unreadable time", ~good, lines.time)
        if self._sites is not None:
            self._note_sites(requests.host.filter(pa.array(good)))
            sites = sites_of(requests.host)
            is_site = pc.is_in(sites.dictionary, pa.array(self._sites))
            matches = is_site.to_numpy(zero_copy_only=False)[sites.indices.to_numpy()]
            report.unmatched += int((good & ~matches).sum())
            good &= matches
        clients = requests.client.dictionary_encode()
        users = decoded(clients.dictionary)
        is_nobody = pc.or_(is_blank(users), pc.equal(users, "-"))
        nobody = is_nobody.to_numpy(zero_copy_only=False)[clients.indices.to_numpy()]
        nobody &= good
        lines.count(report.left_out, "no user", nobody)
        good &= ~nobody
        self._note_odd_times(times.microseconds, good, lines)
        kinds = kinds_of(requests, options.assets, options.statuses)
        for kind, mask in kinds.items():
            lines.count(report.passed, kind, mask & good, lines.asked)
            good &= ~mask
        good = self._without_bots(lines, good, report, bots)
        if not report.example and good.any():
            report.example = lines.example(good, lines.asked)
        kept = pa.array(np.flatnonzero(good))
        starts = times.microseconds[good]
        self._note_order(starts)
        if self._sites is None:
            self._note_sites(requests.host.take(kept))
        user = requests.client.take(kept)
        self._note_users(user)
        if options.user == USERS[1]:
            agent = requests.agent.take(kept)
            user = pc.binary_join_element_wise(user, agent, b" ")
        page = requests.page.take(kept)
        unknown = np.full(len(starts), np.nan)
        return Rows(named(user), named(page), unknown, starts)

    def _without_bots(
        self, lines: "_Requests", good: _Mask, report: FileReport, bots: Bots
    ) -> _Mask:
        """Which of the *good* requests are no bot's, or are to be kept all the same."""
        rows = np.flatnonzero(good)
        agents = lines.requests.agent.take(pa.array(rows)).dictionary_encode()
        codes = agents.indices.to_numpy()
        is_unnamed = pc.less(pc.binary_length(agents.dictionary), 2)
        n_unnamed = int(is_unnamed.to_numpy(zero_copy_only=False)[codes].sum())
        self._n_unnamed += n_unnamed
        self._names_programs |= n_unnamed < len(rows)
        is_bot = np.zeros(len(good), np.bool_)
        is_bot[rows] = bots.among(agents.dictionary)[codes]
        if self._options.keep_bots:
            self._n_bots += int(is_bot.sum())
            return good
        lines.count(report.passed, "bots", is_bot, lines.agent)
        return good & ~is_bot

    def _note_order(self, starts: NDArray[np.int64]) -> None:
        """Count views that are earlier than the one in front of them in the file."""
        if len(starts):
            before = np.concatenate([[self._last], starts[:-1]])
            self._n_earlier += int((starts < before).sum())
            self._last = int(starts[-1])

    def _note_odd_times(
        self, microseconds: NDArray[np.int64], good: _Mask, lines: "_Requests"
    ) -> None:
        """Count requests at times when there can't have been any."""
        now = int(datetime.now(UTC).timestamp() * 10**6)
        odd = {
            "later than tomorrow": good & (microseconds > now + _DAY),
            "before there was a web": good & (microseconds < _WEB_BEGINS),
        }
        for words, mask in odd.items():
            lines.count(self._odd_times, words, mask, lines.time)

    def _note_users(self, clients: pa.BinaryArray) -> None:
        """Count views, and see whether they are all of one client."""
        self._n_views += len(clients)
        if len(self._users) < 2:
            names = decoded(clients.unique()).to_pylist()
            self._users.update(map(printable, names[:2]))

    def _note_sites(self, hosts: pa.BinaryArray) -> None:
        sites = sites_of(hosts)
        counts = np.bincount(sites.indices.to_numpy(), minlength=len(sites.dictionary))
        names = sites.dictionary.to_pylist()
        self._n_of_site.update(dict(zip(names, counts.tolist(), strict=True)))

    def _told_sites(self, most: int = _TOLD) -> list[tuple[str, int]]:
        """The sites that have most, and how many."""
        counts = self._n_of_site.most_common(most + 1)
        return [(printable(name), n) for name, n in counts if name and n][:most]

    def _understood(self) -> Iterator[str]:
        """Lines about the form of the file and the rules for views."""
        options = self._options
        yield f"{self._name}."
        if self._sites is not None:
            yield f"Only requests to {' or '.join(self._sites)}."
        bots = "" if options.keep_bots else ", no bots"
        yield (
            f"Counted: GET requests answered with {_statuses_text(options.statuses)}; "
            f"no assets ({_joined(options.assets)}){bots}."
        )
        who = "the client's address"
        yield f"User: {who}{' and program' * (options.user == USERS[1])}."
        yield "Page: the address asked for, up to a question mark."
        yield f"Time: {self._times.description()}."
        yield "Duration: derived from the next page view of the same user."

    def _notes(self) -> Iterator[str]:
        """What a person should know besides, in sentences."""
        for form, n in self._lines_of.most_common():
            if form != self._name and n:
                lines = f"{count_text(n, 'line')} {'is' if n == 1 else 'are'}"
                yield f"{lines} of another form, and read: {form}."
        if n := self._n_earlier:
            views = "view is" if n == 1 else "views are"
            yield f"{n:,} page {views} earlier than the one before; they are sorted."
        for odd in self._odd_times.values():
            times = count_text(odd.rows, "time")
            yield f"{times} {odd.reason}, such as {odd.example}."
        yield from self._bots_notes()
        if len(self._users) == 1 and self._n_views >= _MANY:
            yield (
                f"All page views are of {next(iter(self._users))}, as of a proxy that "
                "hides who asks; have the server write their addresses."
            )
        yield from self._sites_notes()
        yield from self._times.notes()

    def _bots_notes(self) -> Iterator[str]:
        if self._n_bots:
            yield f"{count_text(self._n_bots, 'page view')} of bots, which count."
        n = 0 if self._options.keep_bots else self._n_unnamed
        if n and not self._names_programs:
            yield "No page view names a program, so bots can't be told from people."
        elif n:
            name = "view names" if n == 1 else "views name"
            yield f"{n:,} page {name} no program; bots among them count."

    def _sites_notes(self) -> Iterator[str]:
        sites = self._told_sites()
        if len(sites) > 1 and self._sites is None:
            told = [f"{name} ({count_text(n, 'view')})" for name, n in sites]
            more = sum(bool(name and n) for name, n in self._n_of_site.items())
            told += [f"{more - len(told):,} more"] * (more > len(told))
            yield (
                f"Several sites: {', '.join(told)}. To count one alone, add "
                f"--where host={sites[0][0]}."
            )


class _Lines:
    """Some lines of a block, to tell of: its requests, or all of them."""

    def __init__(self, block: Block, requests: Requests | None = None) -> None:
        self._block = block
        self._of = np.arange(len(block.starts)) if requests is None else requests.line

    def count(
        self,
        total: dict[str, LeftOut],
        reason: str,
        mask: _Mask,
        words: Callable[[int], str] | None = None,
    ) -> None:
        """Add lines to those of the same reason, whose first is told.

        *words* are about the line of an index; its beginning where they are left out.
        """
        n = int(np.count_nonzero(mask))
        if not n:
            return
        example = "" if reason in total else self.example(mask, words)
        add_up(total, [LeftOut(reason, n, example)])

    def example(self, mask: _Mask, words: Callable[[int], str] | None = None) -> str:
        """Where the first of some lines is, and *words* about it; see ``count``."""
        first = int(mask.argmax())
        line = int(self._of[first])
        shown = words(first) if words else repr(_shown(self._block.line(line)))
        return f"line {self._block.numbers[line]}: {shown}"


class _Requests(_Lines):
    """Requests of a block, to tell of."""

    def __init__(self, block: Block, requests: Requests) -> None:
        super().__init__(block, requests)
        self.requests = requests

    def asked(self, index: int) -> str:
        """What was asked for, and the answer: "GET /a (404)"."""
        both = self.requests.method[index], self.requests.page[index]
        request = b" ".join(filter(None, (each.as_py() for each in both)))
        return f"{_shown(request, _LONG_TEXT)} ({self.requests.status[index]})"

    def time(self, index: int) -> str:
        """The time as it is written."""
        return repr(_shown(self.requests.time[index].as_py()))

    def agent(self, index: int) -> str:
        """The program as it names itself."""
        return _shown(self.requests.agent[index].as_py(), _LONG_TEXT)


def _shown(text: bytes, longest: int = _SHOWN) -> str:
    """The beginning of a text in one line, and all visible."""
    words = decoded(pa.array([text[: 4 * longest]], pa.binary()))[0].as_py()
    words = printable(words)
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def _joined(ends: Sequence[str]) -> str:
    """Some endings: ".css, .js, .png and 9 more"."""
    more = len(ends) - _TOLD
    words = ", ".join(ends[:_TOLD]) or "none"
    return f"{words} and {more:,} more" if more > 0 else words


def _sites(options: ReadOptions) -> list[str] | None:
    """The sites that are asked for; None for all. Raises BadInput for other columns."""
    for column, _ in options.where:
        if column != "host":
            raise BadInput(
                f"a log has no column {column!r:.60}: --where host=NAME counts the "
                "requests to one site"
            )
    names = [value.encode() for _, value in options.where]
    return sites_of(pa.array(names, pa.binary())).to_pylist() or None


def _statuses_text(statuses: frozenset[int]) -> str:
    """Statuses as ranges: "200-299 or 304"."""
    if statuses == STATUSES:
        return "200 to 299 or 304"
    each = sorted(statuses)
    starts = [n for n in each if n - 1 not in statuses]
    stops = [n for n in each if n + 1 not in statuses]
    ranges = [
        str(start) if start == stop else f"{start} to {stop}"
        for start, stop in zip(starts, stops, strict=True)
    ]
    return " or ".join(ranges)
