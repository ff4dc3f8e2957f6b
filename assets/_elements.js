// What is written on the page, by whichever script: it is loaded before the others, in the
// order of names.
(() => {
    // An element, its attributes, and what is in it.
    function make(tag, attributes, ...inside) {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
        made.append(...inside);
        return made;
    }

    // A number and its unit stay on one line.
    const bound = words => words.replace(/(\d) (?=(?:h|min|s|%|×)(?![\p{L}\d]))/gu, "$1\u00a0");

    // Go to a view as a click on a link to it does.
    function visit(href) {
        const link = make("a", {href, hidden: ""});
        document.querySelector("main").append(link);
        link.click();
        link.remove();
    }

    function dayAfter(day) {
        const next = new Date(`${day}T00:00:00Z`);
        next.setUTCDate(next.getUTCDate() + 1);
        return next.toISOString().slice(0, 10);
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {elements: {make, bound, visit, dayAfter}});
})();
