// What the page does in the browser alone: everything ends in a change of the address,
// which the one callback on the server answers.

(() => {
    const PAPER = 680;  // A4 without its margins, in pixels of 1/96 inch.

    let pointer = {};
    for (const kind of ["pointerdown", "pointerup"])
        document.addEventListener(kind, event => { pointer = event; }, true);

    const drawn = () => document.getElementById("chips").dataset;

    function go(edit) {
        // What is drawn, unless the answer to another pick is still to come.
        const {asked, address} = drawn();
        const query = new URLSearchParams(asked === location.search ? address : location.search);
        const before = String(query);
        const sheet = edit(query);
        if (String(query) === before) return;
        query.delete("sheet");
        if (sheet) query.set("sheet", sheet);
        dash_clientside.set_props("url", {search: `?${query}`});
    }

    function toggled(list, item) {
        return list.includes(item) ? list.filter(other => other !== item) : [...list, item];
    }

    function setAll(query, key, values) {
        query.delete(key);
        values.forEach(value => query.append(key, value));
    }

    // [from, to) of an axis: the same again takes it back.
    function setRange(from, to, least, most) {
        go(query => {
            const again = query.get(from) === least && query.get(to) === most;
            for (const [key, value] of [[from, least], [to, most]])
                if (again || value === null) query.delete(key);
                else query.set(key, value);
        });
    }

    // The bars that were dragged over, or the one that was clicked.
    function pickRange(from, to, clicked, selected, edges) {
        const points = (selected ?? clicked)?.points ?? [];
        const bars = points.filter(point => point.curveNumber === 0);
        if (bars.length) {
            const numbers = bars.map(bar => bar.pointNumber);
            const [least, most] = [Math.min(...numbers), Math.max(...numbers) + 1]
                .map(number => edges[number] ?? null)
                .map(edge => edge === null ? null : String(edge));
            setRange(from, to, least, most);
        }
        return [null, null];
    }

    // Elements of the page that Dash leaves empty, or doesn't change again, are filled
    // here: an element, its attributes, and what is in it.
    function make(tag, attributes, ...inside) {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
        made.append(...inside);
        return made;
    }

    const cells = row => row.map(cell => make("td", {}, cell));

    function table(head, rows) {
        return make("table", {}, make("thead", {}, make("tr", {}, ...head)),
            make("tbody", {}, ...rows.map(row => make("tr", {}, ...row))));
    }

    function numbersTable({head, rows}) {
        return [table(head.map(name => make("th", {scope: "col"}, name)), rows.map(cells))];
    }

    function usersTable({head, rows, picked, sort, reverse, sheet, sheets, address}) {
        const to = (words, changes, attributes = {}) => {
            const query = new URLSearchParams(address);
            query.delete("sheet");
            for (const [key, value] of Object.entries(changes)) query.set(key, value);
            return make("a", {href: `?${query}`, ...attributes}, words);
        };
        const columns = Object.entries(head).map(([key, name]) => {
            if (key !== sort) return make("th", {scope: "col"}, to(name, {sort: key}));
            // Numbers begin with the largest, names with A.
            const upwards = reverse !== (key === "user");
            const link = to(`${name} ${upwards ? "↑" : "↓"}`, {sort: reverse ? key : `-${key}`});
            const order = upwards ? "ascending" : "descending";
            return make("th", {scope: "col", "aria-sort": order}, link);
        });
        const lines = rows.map(([user, ...rest]) => {
            const current = user === picked ? {"aria-current": "true"} : {};
            return [make("td", {}, to(user, {user}, current)), ...cells(rest)];
        });
        const pager = make("nav", {"aria-label": "Sheets of the table"});
        if (sheet > 1) pager.append(to("← Before", {sheet: sheet - 1}));
        if (sheets > 1) pager.append(make("span", {}, `${sheet} of ${sheets}`));
        if (sheet < sheets) pager.append(to("Next →", {sheet: sheet + 1}));
        return [table(columns, lines), pager];
    }

    function chipsLine(chips) {
        return chips.map(([words, href], number) => number < chips.length - 1
            ? make("a", {href, class: "chip", "aria-label": `${words}: remove this filter`},
                `${words} ×`)
            : make("a", {href, id: "clear", title: "Esc"}, words));
    }

    // What the server says of a view, besides the figures.
    function write({text, tables, users, chips, asked, address, caption}) {
        for (const [id, words] of Object.entries(text)) {
            const element = document.getElementById(id);
            // A reader of the screen says aloud what is written, even the same.
            if (element.textContent !== words) element.textContent = words;
        }
        if (users) document.getElementById("users-table").replaceChildren(...usersTable(users));
        if (!chips) return;
        for (const details of document.querySelectorAll("details")) {
            const chart = details.id.replace("-details", "");
            details.open = chart in tables;
            document.getElementById(`${chart}-table`)
                .replaceChildren(...(tables[chart] ? numbersTable(tables[chart]) : []));
        }
        const line = document.getElementById("chips");
        line.replaceChildren(...chipsLine(chips));
        Object.assign(line.dataset, {asked, address, caption});
        const someone = new URLSearchParams(address).get("user");
        document.documentElement.classList.toggle("everyone", !someone);
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside, {page: {
        write(words) {
            if (words) write(words);
        },
        holdZoom(moved) {
            const chart = dash_clientside.callback_context.triggered_id;
            const {uirevision, xaxis, dragmode} =
                document.querySelector(`#${chart} .js-plotly-plot`).layout;
            return {revision: uirevision, range: xaxis.range, dragmode};
        },
        pickPage(clicked, figure) {
            const name = clicked && figure.layout.meta.pages[clicked.points[0].pointNumber];
            if (name)
                go(query => {
                    const pages = query.getAll("page");
                    const add = pointer.shiftKey || pointer.ctrlKey || pointer.metaKey;
                    const alone = pages.length === 1 && pages[0] === name ? [] : [name];
                    setAll(query, "page", add ? toggled(pages, name) : alone);
                });
            return null;
        },
        pickDurations(clicked, selected, figure) {
            return pickRange("min", "max", clicked, selected, figure.layout.meta?.edges);
        },
        pickDates(clicked, selected, figure) {
            return pickRange("from", "to", clicked, selected,
                figure.data[0] && [...figure.data[0].x, figure.layout.meta.end]);
        },
    }});

    function image(chart, format) {
        const plot = document.querySelector(`#${chart} .js-plotly-plot`);
        const heading = document.getElementById(`${chart}-heading`).textContent;
        const name = `${heading}, ${drawn().caption}`;
        const {width, height} = plot.getBoundingClientRect();
        const layout = {
            ...plot.layout,
            title: {text: name.replace(/&/g, "&amp;").replace(/</g, "&lt;"), x: 0.02,
                font: {size: 15}},
            margin: {...plot.layout.margin, t: 84},
            paper_bgcolor: "#ffffff",
        };
        Plotly.downloadImage({data: plot.data, layout}, {
            format, width, height: height + 48, scale: 2,
            filename: name.replace(/[^\p{L}\p{N}_. ,-]+/gu, "_").slice(0, 150),
        });
    }

    // A link is to another view than the one that is drawn: what differs is what is picked.
    function follow(href) {
        const [there, here] = [href, drawn().address].map(search => new URLSearchParams(search));
        go(query => {
            for (const key of new Set([...there.keys(), ...here.keys()]))
                if (String(there.getAll(key)) !== String(here.getAll(key)))
                    setAll(query, key, there.getAll(key));
            return there.get("sheet");
        });
    }

    document.addEventListener("click", event => {
        const link = event.target.closest("a[href^='?']");
        const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.button;
        if (link && plain) {
            event.preventDefault();
            follow(link.getAttribute("href"));
        }
        const {chart, image: format} = event.target.closest("[data-image]")?.dataset ?? {};
        if (chart) image(chart, format);
    });

    // What is taken away is what is shown.
    for (const kind of ["pointerdown", "click"])
        document.addEventListener(kind, event => {
            const link = event.target.closest("main a[download]");
            if (link) link.search = drawn().address;
        }, true);

    document.addEventListener("toggle", event => {
        const chart = event.target.id?.match(/^(.*)-details$/)?.[1];
        if (chart)
            go(query => {
                const open = query.getAll("table");
                if (open.includes(chart) !== event.target.open)
                    setAll(query, "table", toggled(open, chart));
            });
    }, true);

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

    document.addEventListener("keydown", event => {
        const open = document.querySelector("[data-state='open']");
        const types = event.target.matches("input:not([type=radio])");
        if (event.key === "Escape" && !event.defaultPrevented && !open && !types)
            document.getElementById("clear")?.click();
    });
})();
