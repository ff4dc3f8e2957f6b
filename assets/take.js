// What can be taken away: a chart as a picture, numbers and sessions as CSV, the link, and
// the whole view as a file. What is taken is what is drawn, see writePage in page.js.

(() => {
    const SAID = 2_000;  // Milliseconds that a button says what it did.
    const READ = 15_000;  // Milliseconds that a sentence stays.

    const shown = () => document.getElementById("chips").dataset;
    const plotOf = chart => document.querySelector(`#${chart} .js-plotly-plot`);
    const fileName = name => name.replace(/[^\p{L}\p{N}_. ,-]+/gu, "_").slice(0, 150);

    function picture(chart) {
        const plot = plotOf(chart);
        const {width, height} = plot.getBoundingClientRect();
        const layout = {...plot.layout, paper_bgcolor: "#ffffff"};
        return {figure: {data: plot.data, layout}, width, height};
    }

    function image(chart, format) {
        const heading = document.getElementById(`${chart}-heading`).textContent;
        const name = `${heading}, ${shown().caption}`;
        const {figure, width, height} = picture(chart);
        Object.assign(figure.layout, {
            title: {text: name.replace(/&/g, "&amp;").replace(/</g, "&lt;"), x: 0.02,
                font: {size: 15}},
            margin: {...figure.layout.margin, t: 84},
        });
        Plotly.downloadImage(figure,
            {format, width, height: height + 48, scale: 2, filename: fileName(name)});
    }

    function say(button, words) {
        const usual = button.dataset.usual ?? button.textContent;
        button.dataset.usual = usual;
        button.textContent = words;
        setTimeout(() => { button.textContent = usual; }, SAID);
    }

    async function copyLink(button) {
        const link = new URL(shown().address, location.href).href;
        try {
            await navigator.clipboard.writeText(link);
        } catch {
            // Without a secure origin there is no clipboard: the person copies it.
            prompt("The link to this view:", link);
            return;
        }
        say(button, "Copied");
    }

    // The server writes the document; the pictures of the charts are drawn here.
    async function saveView(button) {
        const {address, caption} = shown();
        const response = await fetch(`${button.dataset.href}${address}`).catch(() => null);
        if (response?.status === 401) return say(button, "Not saved: signed out");
        if (!response?.ok) return say(button, "Not saved: no answer");
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const place of page.querySelectorAll("figure[data-chart]")) {
            const {figure, width, height} = picture(place.dataset.chart);
            const source = await Plotly.toImage(figure, {format: "svg", width, height});
            const made = page.createElement("img");
            made.src = source;
            made.alt = "";
            place.append(made);
        }
        const text = `<!DOCTYPE html>\n${page.documentElement.outerHTML}`;
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], {type: "text/html"}));
        link.download = `${fileName(caption)}.html`;
        link.click();
        URL.revokeObjectURL(link.href);
        say(button, "Saved");
    }

    document.addEventListener("click", event => {
        const {chart, image: format} = event.target.closest("[data-image]")?.dataset ?? {};
        if (chart) image(chart, format);
        if (event.target.id === "copy-link") copyLink(event.target);
        if (event.target.id === "save-view") saveView(event.target);
    });

    // The server is asked first: browsers would leave the page for a refusal, or hide it.
    async function take(link) {
        const response = await fetch(link.href, {method: "HEAD"}).catch(() => null);
        if (response?.ok) return link.click();
        // connection.js has words for it.
        if (response?.status === 401) return;
        const isBusy = response?.status === 503 && response.headers.has("Retry-After");
        const line = document.getElementById("taken");
        line.textContent = isBusy
            ? "Others are downloading now. Please try again in a minute."
            : response?.status < 502
                ? `The server refused this (${response.status}).`
                : "The server doesn't answer. Please try again.";
        setTimeout(() => { line.textContent = ""; }, READ);
    }

    for (const kind of ["pointerdown", "click"])
        document.addEventListener(kind, event => {
            const link = event.target.closest("main a[download]");
            if (!link) return;
            const form = link.dataset.for ? `&for=${link.dataset.for}` : "";
            link.search = shown().address + form;
            const {isTrusted, ctrlKey, metaKey, shiftKey, altKey} = event;
            if (kind === "pointerdown" || !isTrusted || ctrlKey || metaKey || shiftKey || altKey)
                return;
            event.preventDefault();
            take(link);
        }, true);
})();
