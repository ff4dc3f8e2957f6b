// What the page does in the browser alone: everything ends in a change of the address,
// which the one callback on the server answers.

(() => {
    const PAPER = 680;  // A4 without its margins, in pixels of 1/96 inch.

    let pointer = {};
    for (const kind of ["pointerdown", "pointerup"])
        document.addEventListener(kind, event => { pointer = event; }, true);

    // The payload of the page that is drawn, see PagePayload in payload.py.
    let drawn = {};

    // What decides which users are in their table: another list begins with another page.
    const LIST_KEYS = ["from", "to", "page", "min", "max", "find"];

    // Change the address: of the page that is drawn, or of the one that was just asked for.
    function go(edit) {
        const {asked, address} = drawn;
        const query = new URLSearchParams(asked === location.search ? address : location.search);
        const before = new URLSearchParams(query);
        edit(query);
        if (String(query) === String(before)) return;
        if (LIST_KEYS.some(key => String(query.getAll(key)) !== String(before.getAll(key))))
            query.delete("sheet");
        dash_clientside.set_props("url", {search: `?${query}`});
    }

    function toggled(list, item) {
        return list.includes(item) ? list.filter(other => other !== item) : [...list, item];
    }

    function setAll(query, key, values) {
        query.delete(key);
        values.forEach(value => query.append(key, value));
    }

    // A bar that has a name picks it, alone or with Shift or Ctrl as one more; the same
    // again takes it back.
    function pickName({key, names}, bar) {
        const name = names[bar.pointNumber];
        if (name === undefined) return;
        go(query => {
            const picked = query.getAll(key);
            const add = pointer.shiftKey || pointer.ctrlKey || pointer.metaKey;
            const alone = picked.length === 1 && picked[0] === name ? [] : [name];
            setAll(query, key, add ? toggled(picked, name) : alone);
        });
    }

    // Bars between edges pick the range from the first to the last of them; the same again
    // takes it back.
    function pickRange({keys, edges, end}, bars, figure) {
        const at = edges ?? [...figure.data[0].x, end];
        const numbers = bars.map(bar => bar.pointNumber);
        const range = [Math.min(...numbers), Math.max(...numbers) + 1]
            .map(number => at[number] ?? null)
            .map(edge => edge === null ? null : String(edge));
        go(query => {
            const again = keys.every((key, i) => query.get(key) === range[i]);
            keys.forEach((key, i) => {
                if (again || range[i] === null) query.delete(key);
                else query.set(key, range[i]);
            });
        });
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

    function usersTable({head, rows, picked, sort, reverse, page, pages, address}) {
        const to = (words, changes, attributes = {}) => {
            const query = new URLSearchParams(address);
            for (const [key, value] of Object.entries(changes)) query.set(key, value);
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
        const lines = rows.map(([user, ...rest]) => {
            const current = user === picked ? {"aria-current": "true"} : {};
            return [make("td", {}, to(user, {user}, current)), ...cells(rest)];
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
        const links = chips.map(({text, address}) => make(
            "a", {href: address, class: "chip", "aria-label": `${text}: remove this filter`},
            `${text} ×`));
        return [...links, make("a", {href: unfiltered, id: "clear"}, "Clear all (Esc)")];
    }

    function writeText(text) {
        for (const [id, words] of Object.entries(text)) {
            const element = document.getElementById(id);
            // A reader of the screen says aloud what is written, even the same.
            if (element.textContent !== words) element.textContent = words;
        }
    }

    function writePage({text, tables, chips, unfiltered, asked, address, caption, controls}) {
        writeText(text);
        for (const details of document.querySelectorAll(".tools details")) {
            const chart = details.id.replace("-details", "");
            details.open = chart in tables;
            document.getElementById(`${chart}-table`)
                .replaceChildren(...(tables[chart] ? numbersTable(tables[chart]) : []));
        }
        const line = document.getElementById("chips");
        line.replaceChildren(...chipsLine(chips, unfiltered));
        Object.assign(line.dataset, {asked, address, caption});
        drawn = {asked, address, caption, controls};
        const someone = new URLSearchParams(address).get("user");
        document.documentElement.classList.toggle("everyone", !someone);
    }

    function writeUsers({text, users}) {
        writeText(text);
        document.getElementById("users-table").replaceChildren(...usersTable(users));
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside, {page: {
        writePage(payload) {
            if (payload) writePage(payload);
        },
        writeUsers(payload) {
            if (payload) writeUsers(payload);
        },
        holdZoom() {
            const chart = dash_clientside.callback_context.triggered_id;
            const {uirevision, xaxis, dragmode} =
                document.querySelector(`#${chart} .js-plotly-plot`).layout;
            return {revision: uirevision, range: xaxis.range, dragmode};
        },
        // What a chart picks stands in its figure, see picks_names and picks_range in
        // charts/figure.py.
        pick(clicked, selected, figure) {
            const {meta} = figure.layout;
            const points = (selected ?? clicked)?.points ?? [];
            const bars = points.filter(point => meta?.names || point.curveNumber === 0);
            if (bars.length && meta?.names) pickName(meta, bars[0]);
            else if (bars.length && meta?.keys) pickRange(meta, bars, figure);
            return [null, null];
        },
    }});

    // No pick fails silently: what the server refuses, or doesn't answer, is told in a line.
    const PATIENCE = 1_000, FIRST_PAUSE = 1_000, LONGEST_PAUSE = 30_000;
    const AWAY = [502, 503, 504];
    const NO_CHANGE = () => new Response(null, {status: 204});
    const STILL = "The page still shows the view before.";
    const told = new Map(), newest = new Map();
    const send = window.fetch.bind(window);
    let restored = null;

    function tell(output, words) {
        told.set(output, words);
        document.getElementById("connection").textContent =
            [...told.values()].find(line => line) ?? "";
    }

    // Have the address and the controls say again what is drawn.
    function restore(output) {
        const {controls = {}, asked} = drawn;
        for (const [id, wanted] of Object.entries({...controls, url: {search: asked}})) {
            const now = dash_component_api.getLayout(id)?.props ?? {};
            const other = Object.entries(wanted).filter(([name, value]) =>
                JSON.stringify(now[name] ?? null) !== JSON.stringify(value ?? null));
            if (!other.length) continue;
            restored = output;
            dash_clientside.set_props(id, Object.fromEntries(other));
        }
    }

    async function answered(output, resource, options) {
        const late = setTimeout(() => tell(output, `No answer yet. ${STILL}`), PATIENCE);
        try {
            const response = await send(resource, options);
            return AWAY.includes(response.status) ? null : response;
        } catch {
            return null;
        } finally {
            clearTimeout(late);
        }
    }

    async function ask(output, resource, options) {
        const number = (newest.get(output) ?? 0) + 1;
        newest.set(output, number);
        for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
            const response = await answered(output, resource, options);
            // The answer to an earlier pick comes to nothing: Dash ignores it as well.
            if (newest.get(output) !== number) return NO_CHANGE();
            if (response) {
                // What a refusal had asked for again doesn't take back that it was told.
                const again = restored === output;
                if (again) restored = null;
                if (response.ok) {
                    if (!again) tell(output, "");
                    return response;
                }
                const why = (await response.text()).slice(0, 200);
                tell(output, `The server refused this (${response.status}: ${why}). ${STILL}`);
                restore(output);
                return NO_CHANGE();
            }
            tell(output, `The server doesn't answer; trying again. ${STILL}`);
            await new Promise(done => setTimeout(done, pause));
            if (newest.get(output) !== number) return NO_CHANGE();
        }
    }

    window.fetch = (resource, options) => {
        if (!String(resource).includes("/_dash-update-component") || !options?.body)
            return send(resource, options);
        return ask(JSON.parse(options.body).output, resource, options);
    };

    function image(chart, format) {
        const plot = document.querySelector(`#${chart} .js-plotly-plot`);
        const heading = document.getElementById(`${chart}-heading`).textContent;
        const name = `${heading}, ${drawn.caption}`;
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
            if (link) link.search = drawn.address;
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
