// dcc.Dropdown as it is given, but for its search. Dash indexes every piece of every value
// and label in a plain object: a name of n letters costs n²/2 entries, and one that has
// __proto__ in it changes the prototype of all objects, which leaves the page blank. So
// Dash's dropdown gets names that are text where they are shown, and a number or nothing
// where they are indexed; and one word that all options have that match what is typed.
(() => {
    const {createElement, useMemo} = React;
    const MATCH = "match";

    // A value: one object for each name, as Dash looks for the same.
    class Name extends String {
        constructor(name, number) {
            super(name);
            this.number = number;
        }

        // To React, which writes `"" + value`, it is the name; as a key it is the number.
        [Symbol.toPrimitive](hint) {
            return hint === "string" ? this.number : this.valueOf();
        }

        toString() {
            return this.number;
        }
    }

    const names = new Map();

    // The empty value stays what it is: Dash asks by its truth whether there is one.
    function named(value) {
        if (typeof value !== "string" || !value) return value;
        if (!names.has(value)) names.set(value, new Name(value, String(names.size)));
        return names.get(value);
    }

    const bare = value => value instanceof Name ? value.valueOf() : value;

    const each = (value, turned) => Array.isArray(value) ? value.map(turned) : turned(value);

    // A label: text where it is shown, and none where it is indexed.
    function shown(text) {
        return Object.assign(() => {}, {[Symbol.toPrimitive]: () => text, toString: () => ""});
    }

    // A search: what is typed where it is shown, and the one word where it is looked up.
    function lookedUp(typed) {
        return Object.assign(new String(typed), {toLocaleLowerCase: () => MATCH});
    }

    function harmless(option) {
        const {label, value, ...rest} =
            typeof option === "object" ? option : {label: option, value: option};
        const text = [label, value, rest.search ?? ""].join(" ").toLowerCase();
        // The whole of a name that is cut shows in a hover.
        const title = rest.title ?? (value.length > label.length ? value : undefined);
        return {text, option: {...rest, title, search: undefined, value: named(value),
            label: shown(String(label))}};
    }

    // As Dash does: every word that is typed occurs in the label or in the value.
    function marked(options, typed) {
        const words = typed.toLowerCase().split(/\s+/);
        return options.map(({text, option}) =>
            words.every(word => text.includes(word)) ? {...option, search: MATCH} : option);
    }

    function wrapped(Given) {
        function Dropdown(props) {
            const {options, value, search_value: typed, setProps} = props;
            const all = useMemo(() => (options ?? []).map(harmless), [options]);
            return createElement(Given, {
                ...props,
                options: useMemo(() => marked(all, typed ?? ""), [all, typed]),
                value: useMemo(() => each(value, named), [value]),
                search_value: useMemo(() => typed && lookedUp(typed), [typed]),
                search_order: "original",
                setProps: changes => setProps("value" in changes
                    ? {...changes, value: each(changes.value, bare)}
                    : changes),
            });
        }
        return Object.assign(Dropdown, Given);
    }

    // Dash's components come after this script.
    const name = "dash_core_components";
    Object.defineProperty(window, name, {configurable: true, set(given) {
        const value = Object.create(given, {
            Dropdown: {value: wrapped(given.Dropdown), enumerable: true, writable: true},
        });
        Object.defineProperty(window, name, {value, enumerable: true, writable: true});
    }});

    // Letters typed in an open dropdown go to its search: Dash leaves the focus on the
    // option that is selected, where they would be lost.
    document.addEventListener("keydown", event => {
        const list = event.target.closest(".dash-dropdown-content");
        const types = event.key.length === 1 && event.key !== " "
            && !event.ctrlKey && !event.metaKey && !event.altKey;
        if (list && types) list.querySelector(".dash-dropdown-search")?.focus();
    });
})();
