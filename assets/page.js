// What the page does in the browser alone: everything ends in a change of the address,
// which the one callback on the server answers.

(() => {
    const {make, bound} = dash_clientside.elements;
    const PAPER = 680;  // A4 without its margins, in pixels of 1/96 inch.

    let pointer = {};
    for (const kind of ["pointerdown", "pointerup"])
        document.addEventListener(kind, event => { pointer = event; }, true);

    // The payloads that are written, see payload.py: of the page, of the list of users
    // whose ranks are in the tiles, and of the one that is in the table.
    let drawn = {}, listed = {}, tabled = {};

    // What decides which users are in their table: another list begins with another page.
    const LIST_KEYS = ["from", "to", "page", "min", "max", "find"];
    // The same for the list of a user's sessions.
    const STORY_KEYS = ["user", "from", "to", "page", "min", "max"];

    // The address of the page that is drawn, or of the one that was just asked for, after an
    // edit of its query; null where that leaves it as it is.
    function edited(edit) {
        const {asked, address} = drawn;
        const query = new URLSearchParams(asked === location.search ? address : location.search);
        const before = new URLSearchParams(query);
        edit(query);
        if (String(query) === String(before)) return null;
        const changed = key => String(query.getAll(key)) !== String(before.getAll(key));
        if (LIST_KEYS.some(changed)) query.delete("sheet");
        if (STORY_KEYS.some(changed)) query.delete("part");
        return `?${query}`;
    }

    function go(edit) {
        const search = edited(edit);
        if (search === null) return;
        dash_clientside.set_props("url", {search});
        dash_clientside.answers.showKnown(search);
    }

    function toggled(list, item) {
        return list.includes(item) ? list.filter(other => other !== item) : [...list, item];
    }

    function setAll(query, key, values) {
        query.delete(key);
        values.forEach(value => query.append(key, value));
    }

    const KEY = /^(Mac|iP)/.test(navigator.platform) ? "⌘" : "Ctrl";
    const holdsKey = () => pointer.shiftKey || pointer.ctrlKey || pointer.metaKey;

    // A bar that has a name picks it, alone or with Shift or Ctrl as one more; the same
    // again takes it back. A folder's opens. A name of 0 is as the axis says.
    function nameEdit({key, names, opens}, bar, plot) {
        const folder = opens?.[bar.pointNumber] ?? null;
        if (folder !== null) return query => query.set("folder", folder);
        const given = names[bar.pointNumber] ?? null;
        if (given === null) return null;
        const name = given === 0 ? plot.layout.yaxis.ticktext[bar.pointNumber] : given;
        return query => {
            const picked = query.getAll(key);
            const alone = picked.length === 1 && picked[0] === name ? [] : [name];
            setAll(query, key, holdsKey() ? toggled(picked, name) : alone);
        };
    }

    // Bars between edges pick the range from the first to the last of them; the same again
    // takes it back.
    function rangeEdit({keys, edges, end}, bars, plot) {
        const at = edges ?? [...plot.data[0].x, end];
        const numbers = bars.map(bar => bar.pointNumber);
        const range = [Math.min(...numbers), Math.max(...numbers) + 1]
            .map(number => at[number] ?? null)
            .map(edge => edge === null ? null : String(edge));
        return query => {
            const again = keys.every((key, i) => query.get(key) === range[i]);
            keys.forEach((key, i) => {
                if (again || range[i] === null) query.delete(key);
                else query.set(key, range[i]);
            });
        };
    }

    // What points of a plot pick, as an edit of the address; null where that is nothing. It
    // stands in the figure, see picks_names and picks_range in charts/figure.py.
    function editOf(points, plot) {
        const {meta} = plot.layout;
        const bars = points.filter(point => meta?.names || point.curveNumber === 0);
        if (!bars.length) return null;
        if (meta?.names) return nameEdit(meta, bars[0], plot);
        return meta?.keys ? rangeEdit(meta, bars, plot) : null;
    }

    // Bars are picked by a click or a drag. By then the plot may be ahead of what Dash has of
    // it: what is meant is what is seen. What a bar leads to is asked for when it is pressed,
    // since to rest on one is to read it: see assets/answers.js.
    const heard = new WeakSet();
    function hear(plot) {
        let hovered = [];
        function pick(points) {
            const edit = editOf(points, plot);
            // Once Plotly.js is through with the event.
            if (edit) setTimeout(() => go(edit));
        }
        plot.on("plotly_hover", ({points}) => { hovered = points; });
        plot.on("plotly_unhover", () => { hovered = []; });
        plot.on("plotly_click", ({points}) => pick(points));
        plot.on("plotly_selected", event => pick(event?.points ?? []));
        plot.addEventListener("pointerdown", () => {
            const edit = editOf(hovered, plot);
            const address = edit && edited(edit);
            if (address !== null) dash_clientside.answers.expect(address);
        }, true);
        heard.add(plot);
    }
    document.addEventListener("pointerover", event => {
        const plot = event.target.closest?.(".js-plotly-plot");
        if (plot?._fullLayout && !heard.has(plot)) hear(plot);
    }, true);

    // With fewer, their card is shorter than the chart beside it.
    const FEW_USERS = 6;

    const cells = row => row.map(cell => make("td", {}, cell));

    function table(head, rows) {
        return make("table", {}, make("thead", {}, make("tr", {}, ...head)),
            make("tbody", {}, ...rows.map(row => make("tr", {}, ...row))));
    }

    function numbersTable({head, rows}) {
        return [table(head.map(name => make("th", {scope: "col"}, name)), rows.map(cells))];
    }

    function usersTable({head, rows, labels, picked, sort, reverse, page, pages, address}) {
        const to = (words, changes, attributes = {}) => {
            const query = new URLSearchParams(address);
            for (const [key, value] of Object.entries(changes)) query.set(key, value);
            if ("user" in changes) query.delete("part");
            return make("a", {href: `?${query}`, ...attributes}, words);
        };
        const columns = Object.entries(head).map(([key, name]) => {
            if (key !== sort) return make("th", {scope: "col"}, to(name, {sort: key, sheet: 1}));
            // Numbers begin with the largest, names with A.
            const upwards = reverse !== (key === "user");
            const link = to(`${name} ${upwards ? "↑" : "↓"}`,
                {sort: reverse ? key : `-${key}`, sheet: 1});
            const order = upwards ? "ascending" : "descending";
            return make("th", {scope: "col", "aria-sort": order}, link);
        });
        const lines = rows.map(([user, ...rest], i) => {
            const attributes = {title: user};
            if (user === picked) attributes["aria-current"] = "true";
            else attributes.title += `\n${KEY}-click to compare`;
            if (labels[i] !== user) attributes["data-whole"] = user;
            return [make("td", {}, to(labels[i], {user}, attributes)), ...cells(rest)];
        });
        const pager = make("nav", {"aria-label": "Pages of the table"});
        const [here, last] = [page, pages].map(number => number.toLocaleString("en"));
        if (page > 1) pager.append(to("← Before", {sheet: page - 1}));
        if (pages > 1) pager.append(make("span", {}, `${here} of ${last}`));
        if (page < pages) pager.append(to("Next →", {sheet: page + 1}));
        return [table(columns, lines), pager];
    }

    function chipsLine(chips, unfiltered) {
        if (!chips.length) return [];
        const links = chips.map(({text, address}) => linkTo({text: `${text} ×`, address},
            {class: "chip", "aria-label": `${text}: remove this filter`}));
        const key = make("span", {class: "key"}, " (Esc)");
        return [...links, make("a", {href: unfiltered, id: "clear"}, "Clear all", key)];
    }

    // A link to another view, see Link in payload.py.
    const linkTo = ({text, address}, attributes = {}) =>
        make("a", {href: address, ...attributes}, text);

    function crumbsLine(crumbs) {
        return crumbs.flatMap((crumb, i) => i === crumbs.length - 1
            ? [make("span", {"aria-current": "true"}, crumb.text)]
            : [linkTo(crumb), " › "]);
    }

    // A small line over time, see tiles.lines.
    const WIDTH = 120, HEIGHT = 24, SVG = "http://www.w3.org/2000/svg";
    const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    function trend(letters) {
        if (!letters) return [];
        const step = WIDTH / (letters.length - 1), rise = (HEIGHT - 2) / (LEVELS.length - 1);
        const points = [...letters].map((letter, i) =>
            `${(i * step).toFixed(1)},${(HEIGHT - 1 - rise * LEVELS.indexOf(letter)).toFixed(1)}`);
        const svg = document.createElementNS(SVG, "svg");
        const line = document.createElementNS(SVG, "path");
        svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
        svg.setAttribute("preserveAspectRatio", "none");
        line.setAttribute("d", `M${points.join("L")}`);
        svg.append(line);
        return [svg];
    }

    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

    // What isn't other than before is left alone: a reader of the screen says aloud what is
    // written, even the same, and the browser lays out anew what is touched.
    function writeText(text, before = {}) {
        for (const [id, words] of Object.entries(text))
            if (words !== before[id]) document.getElementById(id).textContent = bound(words);
    }

    function writeLine(id, {text, link}) {
        const inside = link ? [`${bound(text)} `, linkTo(link)] : [bound(text)];
        document.getElementById(id).replaceChildren(...inside.filter(part => part !== ""));
    }

    function writeTable(chart, numbers, before) {
        const details = document.getElementById(`${chart}-details`);
        if (details.open !== Boolean(numbers)) details.open = Boolean(numbers);
        if (!same(numbers, before))
            document.getElementById(`${chart}-table`)
                .replaceChildren(...(numbers ? numbersTable(numbers) : []));
    }

    function writePage({text, lines, tables, chips, unfiltered, crumbs, trends, heights,
        asked, address, caption}) {
        const before = drawn;
        drawn = {text, lines, tables, chips, unfiltered, crumbs, trends, heights,
            asked, address, caption};
        const changed = (part, id) => !same(drawn[part][id], before[part]?.[id]);
        writeText(text, before.text);
        for (const [id, line] of Object.entries(lines))
            if (changed("lines", id)) writeLine(id, line);
        for (const [id, values] of Object.entries(trends))
            if (changed("trends", id))
                document.getElementById(id).replaceChildren(...trend(values));
        for (const [chart, height] of Object.entries(heights)) {
            if (changed("heights", chart))
                document.getElementById(`${chart}-section`)
                    .style.setProperty("--height", `${height}px`);
            writeTable(chart, tables[chart], before.tables?.[chart]);
        }
        if (!same(crumbs, before.crumbs))
            document.getElementById("folders").replaceChildren(...crumbsLine(crumbs));
        const line = document.getElementById("chips");
        if (!same([chips, unfiltered], [before.chips, before.unfiltered]))
            line.replaceChildren(...chipsLine(chips, unfiltered));
        for (const [name, value] of Object.entries({asked, address, caption}))
            if (line.dataset[name] !== value) line.dataset[name] = value;
        // Folded, the filters say what they are.
        if (caption !== before.caption)
            document.getElementById("fold").textContent = `Filters: ${caption}`;
        const someone = new URLSearchParams(address).get("user");
        document.documentElement.classList.toggle("everyone", !someone);
        document.querySelector("main").classList.remove("unanswered");
        dash_clientside.sections.unfold(address);
        writeRanks();
    }

    // The ranks come with the table of users, before or after the numbers that they are
    // of: none stands beside those of another view.
    const RANKS = /^tile-\w+-rank$/;
    const RANK_KEYS = ["user", "from", "to", "page", "min", "max", "stat"];
    function haveSameRanks(one, other) {
        const [first, second] = [one, other].map(address => new URLSearchParams(address));
        return RANK_KEYS.every(key => same(first.getAll(key), second.getAll(key)));
    }

    let ranks = {};
    function writeRanks() {
        const {text = {}, users} = listed;
        const areOfThis = users && haveSameRanks(users.address, drawn.address);
        const current = Object.fromEntries(Object.entries(text)
            .filter(([id]) => RANKS.test(id))
            .map(([id, words]) => [id, areOfThis ? words : ""]));
        writeText(current, ranks);
        ranks = current;
    }

    function writeUsers({text, users}) {
        const before = tabled;
        listed = tabled = {text, users};
        const words = Object.entries(text).filter(([id]) => !RANKS.test(id));
        writeText(Object.fromEntries(words), before.text);
        if (!same(users, before.users)) {
            const section = document.getElementById("users-section");
            // What stands below stays where it is while there is nobody to list.
            section.style.minHeight = users.rows.length ? "" : `${section.offsetHeight}px`;
            document.getElementById("users-table").replaceChildren(...usersTable(users));
            section.toggleAttribute("data-few", users.rows.length < FEW_USERS);
        }
        writeRanks();
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside, {page: {
        writePage(payload, users) {
            if (users) listed = users;
            if (payload) writePage(payload);
        },
        writeUsers(payload) {
            if (payload) writeUsers(payload);
        },
    }});

    // A link is to another view than the one that is drawn: what differs is what is picked.
    function follow(href) {
        const [there, here] = [href, drawn.address].map(search => new URLSearchParams(search));
        go(query => {
            for (const key of new Set([...there.keys(), ...here.keys()]))
                if (String(there.getAll(key)) !== String(here.getAll(key)))
                    setAll(query, key, there.getAll(key));
        });
    }

    document.addEventListener("click", event => {
        const link = event.target.closest("a[href^='?']");
        const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.button;
        const isUser = link?.closest("#users-table tbody");
        if (isUser && (event.ctrlKey || event.metaKey) && !event.button) {
            // With Ctrl a user is compared with the one that is picked.
            event.preventDefault();
            // Nobody is compared with themselves.
            if (link.hasAttribute("aria-current")) return;
            const other = new URLSearchParams(link.getAttribute("href")).get("user");
            dash_clientside.sections.reveal("compare");
            go(query => query.set("vs", `user:${other}`));
        } else if (link && plain) {
            event.preventDefault();
            follow(link.getAttribute("href"));
        }
    });

    // A person opens a table, or a section, by its summary. That it opens says nothing: a view
    // opens it too.
    document.addEventListener("click", event => {
        const details = event.target.closest("summary")?.parentElement;
        const [, name, kind] = details?.id.match(/^(.*)-(details|section)$/) ?? [];
        const key = {details: "table", section: "open"}[kind];
        // The browser opens it after this.
        if (kind === "section" && !details.open)
            setTimeout(() => dash_clientside.sections.reveal(name));
        if (key)
            go(query => {
                const open = query.getAll(key);
                if (open.includes(name) === details.open) setAll(query, key, toggled(open, name));
                // What opens it besides goes with it.
                if (details.open && details.dataset.key) query.delete(details.dataset.key);
            });
    });

    // A finger that moves scrolls the page, and one that taps clicks: Plotly.js would hold
    // it fast, to pick a range.
    document.addEventListener("touchstart", event => {
        if (event.target.closest(".js-plotly-plot")) event.stopPropagation();
    }, {capture: true, passive: true});

    // Charts are as wide as the window; on paper, as the paper.
    const plots = () => document.querySelectorAll(".js-plotly-plot");
    window.addEventListener("beforeprint", () => {
        for (const plot of plots()) Plotly.relayout(plot, {width: PAPER, height: 300});
    });
    window.addEventListener("afterprint", () => {
        for (const plot of plots())
            Plotly.relayout(plot, {width: null, height: null, autosize: true});
    });

    // Dash's radio buttons are marked as a list box with options, and its dates as what
    // opens. They are what their HTML says: take the wrong words away, whenever they come.
    const MENDED = [
        [".switch", {role: "none"}],
        [".switch label", {role: null, "aria-selected": null}],
        ["#dates-wrapper", {role: "group", "aria-expanded": null, "aria-haspopup": null,
            "aria-labelledby": null, "aria-label": "Dates"}],
    ];
    const changes = {subtree: true, attributes: true,
        attributeFilter: ["role", "aria-selected", "aria-expanded"]};
    const mending = new MutationObserver(() => {
        for (const [selector, attributes] of MENDED)
            for (const element of document.querySelectorAll(selector))
                for (const [name, value] of Object.entries(attributes))
                    if (value === null) element.removeAttribute(name);
                    else if (element.getAttribute(name) !== value)
                        element.setAttribute(name, value);
        // When all are there, charts that are drawn are no news.
        if (MENDED.every(([selector]) => document.querySelector(selector))) {
            mending.disconnect();
            mending.observe(document.body, changes);
        }
    });
    mending.observe(document.body, {...changes, childList: true});

    // A name that is shown in part is copied whole.
    document.addEventListener("copy", event => {
        const selection = getSelection();
        if (!selection.rangeCount) return;
        const copied = selection.getRangeAt(0).cloneContents();
        const cut = copied.querySelectorAll("[data-whole]");
        if (!cut.length) return;
        for (const element of cut) element.textContent = element.dataset.whole;
        const held = make("div", {});
        held.append(copied);
        const lines = [...held.querySelectorAll("tr")].map(line =>
            [...line.children].map(cell => cell.textContent).join("\t"));
        event.clipboardData.setData("text/plain", lines.join("\n") || held.textContent);
        event.preventDefault();
    });

    document.addEventListener("click", event => {
        if (event.target.id === "again") location.reload();
    });

    // On a narrow screen the filters are folded.
    document.addEventListener("click", event => {
        if (event.target.id !== "fold") return;
        const open = event.target.getAttribute("aria-expanded") !== "true";
        event.target.setAttribute("aria-expanded", String(open));
    });

    // What lies over the page goes when something else is meant.
    const report = () => document.querySelector(".report[open]");
    document.addEventListener("pointerdown", event => {
        if (report() && !report().contains(event.target)) report().open = false;
    });

    document.addEventListener("keydown", event => {
        if (event.key === "Escape" && report()) {
            report().open = false;
            return;
        }
        const open = document.querySelector("[data-state='open']");
        const types = event.target.matches("input:not([type=radio])");
        if (event.key === "Escape" && !event.defaultPrevented && !open && !types)
            document.getElementById("clear")?.click();
    });
})();
