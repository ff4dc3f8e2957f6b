// What comes after and before a page: columns of pages around the one in the middle, see
// charts/paths.py. Names are written as text alone.
(() => {
    const {make, bound} = dash_clientside.elements;
    // A link to the view with another page in the middle, or other pages chosen.
    function linkTo(shown, {step, ahead, back}, attributes, ...inside) {
        const query = new URLSearchParams(shown.address);
        for (const [key, values] of Object.entries({step: [step], ahead, back})) {
            query.delete(key);
            for (const value of values) query.append(key, value);
        }
        return make("a", {href: `?${query}`, ...attributes}, ...inside);
    }

    // Once the page is in the middle, the only such link to it is in the list there.
    const startingAt = (shown, page, attributes, ...inside) =>
        linkTo(shown, {step: page, ahead: [], back: []},
            {"data-focus": `start ${page}`, ...attributes}, ...inside);

    function bar(share, kind) {
        const made = make("span", {class: `share ${kind}`, "aria-hidden": "true"});
        made.style.setProperty("width", `${100 * share.width}%`);
        return made;
    }

    function name(shown, way, number, column, row) {
        const attributes = {class: "name", title: `${row.page ?? row.label}\n${row.details}`};
        if (row.page !== null && row.label !== row.page) attributes["data-whole"] = row.page;
        if (row.page === null || !column.can_choose)
            return make("span", attributes, row.label);
        // The same again takes it back.
        const chain = shown.chains[way].slice(0, number);
        if (!row.is_chosen) chain.push(row.page);
        if (row.is_chosen) attributes["aria-current"] = "true";
        attributes["data-focus"] = `${way} ${number} ${row.page}`;
        return linkTo(shown, {step: shown.page, ...shown.chains, [way]: chain},
            attributes, row.label);
    }

    function rowOf(shown, way, number, column, row) {
        const shares = [make("span", {class: "of-everyone"}, bound(row.everyone.text))];
        const bars = [bar(row.everyone, "everyone")];
        if (row.user) {
            const words = make("span", {class: "unseen"}, `, ${shown.user} `);
            shares.push(words, make("span", {class: "of-user"}, bound(row.user.text)));
            bars.push(bar(row.user, "user"));
        }
        const line = make("div", {class: "line"},
            name(shown, way, number, column, row),
            make("span", {class: "shares"}, ...shares));
        const item = make("li", {}, line,
            row.page === null ? "" : make("div", {class: "bars"}, ...bars));
        if (row.is_chosen) item.className = "chosen";
        if (row.page === null) item.className = "ended";
        const details = make("div", {class: "line"}, make("span", {}, bound(row.time)));
        if (row.page !== null && row.page !== shown.page)
            details.append(startingAt(shown, row.page,
                {"aria-label": `Start from ${row.label}`}, "start here"));
        if (row.page !== null) item.append(details);
        return item;
    }

    const sizesOf = n => n.map((words, i) =>
        make("p", {class: i ? "size of-user" : "size"}, bound(words)));

    function columnOf(shown, way, column, number) {
        const heading = make("h3", {}, column.title);
        const rows = column.rows.map(row => rowOf(shown, way, number, column, row));
        if (column.others)
            rows.splice(-1, 0, make("li", {class: "size"}, bound(column.others)));
        const list = make("ul", {}, ...rows);
        return make("div", {class: "step"}, heading, ...sizesOf(column.n), list);
    }

    function middleOf(shown) {
        const attributes = {title: shown.page};
        if (shown.label !== shown.page) attributes["data-whole"] = shown.page;
        const list = shown.listed.map(({page, label}) => {
            const here = page === shown.page ? {"aria-current": "true"} : {};
            return make("li", {}, startingAt(shown, page, {title: page, ...here}, label));
        });
        return make("div", {class: "step middle"},
            make("h3", attributes, shown.label),
            ...sizesOf(shown.n),
            make("p", {class: "size other"}, "Start from another page:"),
            make("ul", {}, ...list));
    }

    function write(shown) {
        const columns = [
            ...shown.back.map((column, i) => columnOf(shown, "back", column, i)).reverse(),
            middleOf(shown),
            ...shown.ahead.map((column, i) => columnOf(shown, "ahead", column, i)),
        ];
        return [
            make("p", {class: "finding"}, bound(shown.finding)),
            make("div", {class: "steps"}, ...columns),
            make("p", {class: "size"}, bound(shown.notes.join(" ")), " ",
                make("a", {href: `numbers/paths.csv${location.search}`, download: "",
                    "data-focus": "csv"}, "CSV")),
        ];
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {writers: {...window.dash_clientside.writers, paths: write}});
})();
