// The section that compares what is picked with something else, see charts/compare.py.
(() => {
    const {make, visit, dayAfter} = dash_clientside.elements;
    const WAIT = 50;
    const CONFIG = {displaylogo: false, displayModeBar: false, showSendToCloud: false,
        plotlyServerURL: "", responsive: true};

    const link = ({text, address, isShown}) => make("a",
        {href: address, "data-focus": `way ${text}`,
            ...(isShown ? {"aria-current": "true"} : {})}, text);

    // A comparison that somebody types: the address without one, and what is typed.
    function go({address}, versus) {
        const query = new URLSearchParams(address);
        query.set("vs", versus);
        visit(`?${query}`);
    }

    function named(asked) {
        const input = make("input", {type: "search", name: "text", required: "",
            placeholder: "User, or a part of names", "aria-label": "User, or a part of names",
            "data-focus": "named text", list: "compare-users", autocomplete: "off"});
        const users = make("datalist", {id: "compare-users"},
            ...asked.names.map(value => make("option", {value})));
        const button = (kind, words) => make("button",
            {name: "kind", value: kind, "data-focus": `named ${kind}`}, words);
        const form = make("form", {}, input, users, button("user", "This user"),
            button("names", "All whose name contains it"));
        form.addEventListener("submit", event => {
            event.preventDefault();
            // Its field may be an earlier one, see assets/sections.js.
            const {value} = form.elements.text;
            go(asked, `${event.submitter?.value ?? "user"}:${value}`);
        });
        return form;
    }

    function dated(asked) {
        const [first, last] = ["First day", "Last day"].map(words => make("input",
            {type: "date", required: "", "aria-label": words, "data-focus": `dated ${words}`}));
        const form = make("form", {}, first, " to ", last,
            make("button", {"data-focus": "dated button"}, "These dates"));
        form.addEventListener("submit", event => {
            event.preventDefault();
            const [start, end] = [...form.querySelectorAll("input")]
                .map(input => input.value).sort();
            go(asked, `${start}/${dayAfter(end)}`);
        });
        return form;
    }

    function ways({ways, asked}) {
        const forms = {Users: named(asked), Periods: dated(asked)};
        return make("div", {class: "ways"}, ...ways.map(({head, links, hint}) =>
            make("div", {}, make("span", {}, head), ...links.map(link), forms[head],
                ...(hint ? [make("small", {}, hint)] : []))));
    }

    function tiles({names, tiles}) {
        const [one, other] = names;
        return make("dl", {class: "tiles"}, ...tiles.map(([label, mine, theirs, change, chance]) =>
            make("div", {}, make("dt", {}, label),
                make("dd", {class: "this", title: one}, mine),
                make("dd", {class: "other", title: other}, theirs),
                make("dd", {}, [change, chance].filter(Boolean).join(", ")))));
    }

    function bar(share, side) {
        const line = make("span", {class: `bar ${side}`});
        line.style.setProperty("--share", share);
        return line;
    }

    function pages({names, pages: {rows, others, more, statistic}}) {
        const head = ["Page", ...names.map(name => `${statistic}, ${name}`), "Change", "Chance",
            ...names.map(name => `Sessions, ${name}`)];
        const sides = {1: "this", 2: "other"};
        const lines = rows.map(({label, name, sessions, values, shares, change, chance, isWeak}) => {
            const page = make("th", {scope: "row", title: name}, label);
            if (label !== name) page.dataset.whole = name;
            const cells = values.map((value, i) => {
                const side = i ? "other" : "this";
                return make("td", {class: side}, bar(shares[i], side), make("span", {}, value));
            });
            const row = make("tr", isWeak ? {class: "weak"} : {}, page, ...cells,
                make("td", {}, change), make("td", {}, chance),
                ...sessions.map(n => make("td", {}, n)));
            if (chance === "more than chance") row.classList.add("beyond");
            return row;
        });
        const table = make("table", {},
            make("thead", {}, make("tr", {}, ...head.map((words, i) =>
                make("th", {scope: "col", ...(sides[i] ? {class: sides[i]} : {})}, words)))),
            make("tbody", {}, ...lines));
        const csv = make("a", {href: `numbers/compare.csv${location.search}`,
            download: "", "data-focus": "csv"}, "CSV");
        return make("div", {}, make("div", {class: "pages", tabindex: "0", role: "region",
            "aria-label": "By page", "data-focus": "table"}, table),
        make("p", {class: "others"}, others, " ", ...(more ? [link(more), " "] : []), csv));
    }

    function plot(figure, title, ...tools) {
        const chart = make("div", {class: "plot"});
        // Dash loads Plotly.js with the first chart, which may come after this.
        function draw() {
            // Another view may have taken its place.
            if (!chart.isConnected) return;
            if (!window.Plotly) setTimeout(draw, WAIT);
            else Plotly.newPlot(chart, figure.data, figure.layout, CONFIG);
        }
        requestAnimationFrame(draw);
        return make("div", {}, make("h3", {}, title, ...tools), chart);
    }

    function compare(shown) {
        const parts = [ways(shown), make("p", {class: "finding"}, shown.finding)];
        if (!shown.tiles) return parts;
        const align = shown.align ? [" ", link(shown.align)] : [];
        return [...parts, tiles(shown), pages(shown), make("div", {class: "plots"},
            plot(shown.shares, "Durations"), plot(shown.timeline, "Over time", ...align))];
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {writers: {...window.dash_clientside.writers, compare}});
})();
