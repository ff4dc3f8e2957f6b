// One user's story: a strip for each day, on which sessions are as long as they lasted, and the
// list of the same sessions beside it. All words and places come from charts/story.py.
(() => {
    const {make, visit, dayAfter} = dash_clientside.elements;
    const N_COLORS = 7;

    // The address of a day's sessions, on a page or all; where that is the view already, of
    // the one without these two filters.
    function addressOf({address}, {start, end}, page, isPicked) {
        const query = new URLSearchParams(address);
        for (const key of ["from", "to", "page", "sheet"]) query.delete(key);
        for (const [key, value] of Object.entries(isPicked ? {} : {from: start, to: end, page}))
            if (value !== null) query.set(key, value);
        return `?${query}`;
    }

    function partOf({address}, number) {
        const query = new URLSearchParams(address);
        if (number > 1) query.set("part", number);
        return `?${query}`;
    }

    // Few days have high strips, in pixels.
    const LOW = 22, HIGH = 44, ROOM = 440;

    const percent = number => `${number}%`;

    function placed(element, at, wide) {
        element.style.left = percent(at);
        if (wide !== undefined) element.style.width = percent(wide);
        return element;
    }

    const color = number => ({"data-color": number});

    function legend({pages, unknown}) {
        const item = (words, attributes, title) => make("li", title ? {title} : {},
            make("span", {class: "mark", ...attributes}), words);
        const colored = pages.filter(page => page.color < N_COLORS)
            .sort((one, other) => one.color - other.color);
        const items = colored.map(({label, page, color: number}) =>
            item(label, color(number), label === page ? "" : page));
        if (colored.length < pages.length) items.push(item("other pages", color(N_COLORS)));
        if (unknown) items.push(item("unknown duration", {"data-unknown": ""}));
        return make("ul", {class: "story-legend", "aria-label": "Colours"}, ...items);
    }

    // What is at an end stays within.
    function axis(ticks) {
        const times = ticks.map(({at, text}) => {
            const time = placed(make("span", {}, text), at);
            time.style.transform = `translateX(${at === 0 ? 0 : at === 100 ? -100 : -50}%)`;
            return time;
        });
        return make("div", {class: "story-axis", "aria-hidden": "true"}, ...times);
    }

    const lines = ticks => make("div", {class: "story-lines", "aria-hidden": "true"},
        ...ticks.map(({at}) => placed(make("span", {}), at)));

    // The list has the same links: with the keyboard one goes through them there.
    function segment([number, at, wide], {rows, pages}) {
        const {title: when, page, href} = rows[number];
        const title = `${pages[page].title}\n${when}`;
        const link = make("a", {href, title, "aria-label": title, tabindex: -1,
            "data-row": number, "data-focus": `segment ${title}`, ...color(pages[page].color)});
        if (wide !== null) return placed(link, at, wide);
        link.setAttribute("data-unknown", "");
        return placed(link, at);
    }

    function strip(day, shown) {
        const {label, is_picked: isPicked, visits, segments} = day;
        const href = addressOf(shown, day, null, isPicked);
        const bands = visits.map(([at, wide]) => placed(make("span", {class: "visit"}), at, wide));
        return make("li", {}, make("a", {class: "day", href, "data-focus": `day ${label}`}, label),
            make("div", {class: "strip"}, ...bands,
                ...segments.map(one => segment(one, shown))));
    }

    function strips(shown) {
        const {ticks, days} = shown;
        const height = Math.max(LOW, Math.min(HIGH, Math.floor(ROOM / days.length) - 6));
        const list = make("ul", {}, ...days.map(day => strip(day, shown)));
        list.style.setProperty("--strip", `${height}px`);
        return make("div", {class: "story-strips", role: "group", "aria-label": "Days"},
            axis(ticks),
            make("div", {class: "story-days"}, lines(ticks), list));
    }

    function line({page, day, when, long, since, begins, href}, number, {pages, days}) {
        const {label, page: whole, color: shade} = pages[page];
        const attributes = {href, title: whole,
            "data-focus": `row ${days[day].label} ${when} ${label}`};
        if (label !== whole) attributes["data-whole"] = whole;
        const name = make("td", {role: "cell"}, make("span", {class: "mark", ...color(shade)}),
            make("a", attributes, label));
        const cells = [when, long, since].map(words => make("td", {role: "cell"}, words));
        return make("tr", {role: "row", "data-row": number, ...begins && {class: "begins"}}, name, ...cells);
    }

    // On a narrow screen a row has two lines: it says itself that it is one.
    function list(shown) {
        const {rows, days} = shown;
        const heads = ["Page", "When", "How long", "Since the one before"];
        const bodies = days.map(({label}, day) => make("tbody", {role: "rowgroup"},
            make("tr", {class: "day", role: "row"},
                make("th", {colspan: 4, scope: "rowgroup", role: "rowheader"}, label)),
            ...rows.flatMap((row, i) => row.day === day ? [line(row, i, shown)] : [])));
        return make("div", {class: "story-list"}, make("table", {role: "table"},
            make("thead", {role: "rowgroup"}, make("tr", {role: "row"},
                ...heads.map(head => make("th", {scope: "col", role: "columnheader"}, head)))),
            ...bodies));
    }

    function pager(shown) {
        const {here, ways} = shown;
        const links = ways.map(({text, part}) =>
            make("a", {href: partOf(shown, part), "data-focus": `way ${text}`}, text));
        const middle = links.findIndex(link => /→|»/.test(link.textContent));
        links.splice(middle < 0 ? links.length : middle, 0, make("span", {}, here));
        return make("nav", {"aria-label": "Pages of the story"}, ...links);
    }

    function write(told) {
        const {finding: words, notes, here, pages, days} = told;
        const finding = make("p", {class: "finding"}, words);
        if (!told.bounds) return [finding];
        if (!told.rows.length) {
            finding.append(...allPages(told));
            return [finding, typed(told)];
        }
        const rows = told.rows.map(row => ({...row, href:
            addressOf(told, days[row.day], pages[row.page].page, row.is_picked)}));
        const shown = {...told, rows};
        return [finding, typed(shown), legend(shown),
            make("div", {class: "story"}, strips(shown), list(shown)),
            ...here ? [pager(shown)] : [], make("p", {class: "others"}, notes, ...allPages(shown))];
    }

    // The address of a day that somebody types: what is filtered besides stays so.
    function dayOf({address, bounds: [first, last]}, day) {
        const query = new URLSearchParams(address);
        for (const key of ["from", "to", "sheet"]) query.delete(key);
        if (day > first) query.set("from", day);
        if (day < last) query.set("to", dayAfter(day));
        return `?${query}`;
    }

    // The day that is shown, where it is one.
    function shownDay({address, bounds: [first, last]}) {
        const query = new URLSearchParams(address);
        const from = query.get("from") ?? first, to = query.get("to");
        return from === last || to && dayAfter(from) === to ? from : "";
    }

    // A day that is typed.
    function typed(shown) {
        const [first, last] = shown.bounds;
        const input = make("input", {type: "date", name: "day", required: "", min: first,
            max: last, value: shownDay(shown), "data-focus": "go day"});
        const form = make("form", {}, make("label", {}, "Go to day ", input),
            make("button", {"data-focus": "go button"}, "Go"));
        form.addEventListener("submit", event => {
            event.preventDefault();
            // Its field may be an earlier one, see assets/sections.js.
            visit(dayOf(shown, form.elements.day.value));
        });
        return make("div", {class: "ways"}, form);
    }

    function allPages({address}) {
        const query = new URLSearchParams(address);
        if (!query.has("page")) return [];
        for (const key of ["page", "sheet"]) query.delete(key);
        return [" ", make("a", {href: `?${query}`, "data-focus": "pages all"}, "Show all pages")];
    }

    // What is pointed at on a strip is marked in the list, and the other way round.
    document.addEventListener("pointerover", event => {
        const body = event.target.closest?.("#story-body");
        if (!body) return;
        const number = event.target.closest("[data-row]")?.dataset.row;
        for (const element of body.querySelectorAll("[data-row]"))
            element.classList.toggle("pointed", element.dataset.row === number);
    });

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {writers: {...window.dash_clientside.writers, story: write}});
})();
