// The theme, from before anything is painted (see INDEX in layout.py), and what stands in
// for storage where the browser refuses it.
(() => {
    const THEMES = ["light", "dark"];

    // Where cookies are blocked, or in a sandboxed frame, only to look at these throws,
    // which would leave the page blank: what stands in for them ends with the page.
    function standIn(owner, name, make) {
        try {
            void owner[name].length;
        } catch {
            try {
                Object.defineProperty(owner, name, {value: make(), writable: true});
            } catch {
                // Then there is none.
            }
        }
    }

    function memory() {
        const kept = new Map();
        return {
            getItem: key => kept.get(String(key)) ?? null,
            setItem: (key, value) => { kept.set(String(key), String(value)); },
            removeItem: key => { kept.delete(String(key)); },
        };
    }

    standIn(window, "localStorage", memory);
    standIn(window, "sessionStorage", memory);

    // Dash's polyfill takes what browsers do for wrong, since they know a newer Unicode, and
    // puts its own functions in their place: these take 60 times as long, and Plotly.js
    // calls them thousands of times a chart.
    const OWN = [[window, ["parseInt", "parseFloat"]], [Number, ["parseInt", "parseFloat"]],
        [String.prototype, ["trim", "trimStart", "trimEnd", "trimLeft", "trimRight"]]]
        .flatMap(([owner, names]) => names.map(name => [owner, name, owner[name]]));
    document.addEventListener("load", event => {
        if (event.target.src?.includes("/polyfill"))
            for (const [owner, name, own] of OWN) owner[name] = own;
    }, true);
    standIn(document, "cookie", () => "");

    function recall() {
        try {
            return localStorage.getItem("theme");
        } catch {
            return null;
        }
    }

    function keep(theme) {
        try {
            localStorage.setItem("theme", theme);
        } catch {
            // It holds for this page.
        }
    }

    // The style sheet looks at this; "system" is neither.
    function apply(theme) {
        if (THEMES.includes(theme)) document.documentElement.dataset.theme = theme;
        else delete document.documentElement.dataset.theme;
    }

    const before = recall();
    apply(before);

    let begun = false;
    window.dash_clientside = Object.assign({}, window.dash_clientside, {theme: {
        // The switch begins with the theme of the last visit.
        pick(theme) {
            if (!begun) {
                begun = true;
                return THEMES.includes(before) ? before : dash_clientside.no_update;
            }
            apply(theme);
            keep(theme);
            return dash_clientside.no_update;
        },
    }});
})();
