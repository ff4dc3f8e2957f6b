// The sections that are folded until they are asked for. The address says which are open; of
// the others nothing is asked. What is in them is written by a script of their own, which has
// its function in `dash_clientside.writers` by the section's name.
(() => {
    const {make} = dash_clientside.elements;
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
        say(section, problem, ...(problem ? again(section) : []));
        purge(body);
        body.replaceChildren(...(shown ? dash_clientside.writers[section](shown) : []));
    }

    // Open and fold the sections as an address says.
    function unfold(address) {
        for (const details of document.querySelectorAll(".section")) {
            const open = isOpen(details.id.replace(/-section$/, ""), address);
            if (details.open !== open) details.open = open;
        }
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {sections: {ask, say, write, unfold}});
})();
