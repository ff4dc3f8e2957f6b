// The sections that are folded until they are asked for. The address says which are open; of
// the others nothing is asked. What is in them is written by a script of their own, which has
// its function in `dash_clientside.writers` by the section's name.
(() => {
    const bodyOf = section => document.getElementById(`${section}-body`);
    // A key of its own in the address opens a section, too.
    function isOpen(section, search) {
        const query = new URLSearchParams(search);
        const {key} = document.getElementById(`${section}-section`).dataset;
        return query.getAll("open").includes(section) || key !== undefined && query.has(key);
    }

    // What is shown is of another view from when this one is asked for until it is answered.
    function ask(search) {
        const section = dash_clientside.callback_context.outputs_list.id.replace(/-asked$/, "");
        if (!isOpen(section, search)) return dash_clientside.no_update;
        bodyOf(section).setAttribute("aria-busy", "true");
        return search;
    }

    function write(payload) {
        if (!payload) return;
        const {section, problem, shown} = payload, body = bodyOf(section);
        body.removeAttribute("aria-busy");
        document.getElementById(`${section}-problem`).textContent = problem;
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
        {sections: {ask, write, unfold}});
})();
