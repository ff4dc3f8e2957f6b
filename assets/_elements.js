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

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {elements: {make, bound}});
})();
