// The sections that are folded until they are asked for. The address says which are open; of
// the others nothing is asked. What is in them is written by a script of their own, which has
// its function in `dash_clientside.writers` by the section's name.
(() => {
    const {make} = dash_clientside.elements;
    const ROOM = 8;  // Above the section that is looked at, in pixels.
    // The addresses that sections were last asked for.
    const asked = {};
    const bodyOf = section => document.getElementById(`${section}-body`);
    // A key of its own in the address opens a section, too.
    function isOpen(section, search) {
        const query = new URLSearchParams(search);
        const {key} = document.getElementById(`${section}-section`).dataset;
        return query.getAll("open").includes(section) || key !== undefined && query.has(key);
    }

    // A plot that is only taken away keeps listening to the window.
    function purge(body) {
        for (const plot of body.querySelectorAll(".js-plotly-plot")) Plotly.purge(plot);
    }

    // A person who opens a section looks at it: once it is there, too, since only then the page
    // is as long, unless they look at something else meanwhile.
    let revealed = null;
    function scrollTo(section) {
        const details = document.getElementById(`${section}-section`);
        const controls = document.querySelector(".controls");
        const isInTheWay = getComputedStyle(controls).position === "sticky";
        const room = isInTheWay ? controls.offsetHeight : 0;
        details.style.scrollMarginTop = `${room + ROOM}px`;
        const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
        details.scrollIntoView({behavior: isStill ? "instant" : "smooth"});
    }

    function reveal(section) {
        document.getElementById(`${section}-section`).open = true;
        bodyOf(section).setAttribute("aria-busy", "true");
        revealed = section;
        scrollTo(section);
    }
    for (const own of ["wheel", "touchmove", "pointerdown", "keydown"])
        window.addEventListener(own, () => { revealed = null; }, {capture: true, passive: true});

    // What is shown is of another view from when this one is asked for until it is answered.
    function ask(search) {
        const section = dash_clientside.callback_context.outputs_list.id.replace(/-asked$/, "");
        if (!isOpen(section, search)) {
            dash_clientside.connection.leave(section);
            return dash_clientside.no_update;
        }
        bodyOf(section).setAttribute("aria-busy", "true");
        asked[section] = search;
        return search;
    }

    // What is in a section is made anew with each answer. Whoever is in it with the keyboard
    // stays where they are: what can have the focus has a name in `data-focus`, which begins
    // with the name of its group, and the first of the group stands in for one that is gone.
    const named = (body, name) => [...body.querySelectorAll("[data-focus]")]
        .find(element => element.dataset.focus === name);

    function groupOf(body, name) {
        const [group] = name.split(" ");
        return [...body.querySelectorAll("[data-focus]")]
            .find(element => element.dataset.focus.split(" ")[0] === group);
    }

    function refocus(section, name) {
        const body = bodyOf(section), line = document.getElementById(`${section}-problem`);
        const there = named(body, name) ?? groupOf(body, name) ?? line.querySelector("button")
            ?? line.parentElement.querySelector("summary");
        there.focus({preventScroll: true});
    }

    // A field takes the place of the one that is made anew, with what is being typed in it.
    function keep(old, made) {
        const isTyped = old.value !== old.defaultValue;
        if (!isTyped && old.value !== made.value) old.value = made.value;
        // To write even the same takes away a date that is typed in part.
        if (old.defaultValue !== made.defaultValue) old.defaultValue = made.defaultValue;
        // Not every browser can move it without a blur.
        if (made.parentNode.moveBefore) made.parentNode.moveBefore(old, made);
        else made.before(old);
        made.remove();
    }

    function keepFocus(section, change) {
        const {activeElement: before} = document;
        const isWithin = document.getElementById(`${section}-section`).contains(before);
        change();
        if (isWithin && document.activeElement !== before)
            refocus(section, before.dataset.focus ?? "");
    }

    function replace(body, inside) {
        const fieldsOf = () => [...body.querySelectorAll("input[data-focus]")];
        const before = [...body.childNodes], fields = fieldsOf();
        body.append(...inside);
        const made = fieldsOf().slice(fields.length);
        for (const old of fields) {
            const same = made.find(({dataset}) => dataset.focus === old.dataset.focus);
            if (same) keep(old, same);
        }
        before.forEach(node => node.remove());
    }

    // Why a section isn't there, or not yet; with a button where it is not asked for again
    // by itself.
    function say(section, words, ...more) {
        const line = document.getElementById(`${section}-problem`);
        // A reader of the screen says aloud what is written, even the same.
        if (line.textContent !== words || more.length) line.replaceChildren(words, ...more);
    }

    // Ask for a section once more, without another pick.
    function again(section) {
        const button = make("button", {type: "button"}, "Try again");
        button.addEventListener("click", () => {
            bodyOf(section).setAttribute("aria-busy", "true");
            dash_clientside.set_props(`${section}-asked`, {data: asked[section]});
        });
        return [" ", button];
    }

    function write(payload) {
        if (!payload) return;
        const {section, problem, shown} = payload, body = bodyOf(section);
        body.removeAttribute("aria-busy");
        purge(body);
        keepFocus(section, () => {
            say(section, problem, ...(problem ? again(section) : []));
            replace(body, shown ? dash_clientside.writers[section](shown) : []);
        });
        if (revealed !== section) return;
        revealed = null;
        scrollTo(section);
    }

    // Open and fold the sections as an address says.
    function unfold(address) {
        for (const details of document.querySelectorAll(".section")) {
            const open = isOpen(details.id.replace(/-section$/, ""), address);
            if (details.open !== open) details.open = open;
        }
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {sections: {ask, reveal, say, write, unfold}});
})();
