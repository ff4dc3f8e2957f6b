// When charts are drawn. Dash would draw all that a pick changes one behind the other, and
// only then would the browser paint: the first were seen when the last is done. So the
// first of those on the screen is painted as soon as it is drawn, then the rest: to paint
// each by itself takes as long as to draw one more.
(() => {
    // What waits: a plot, its newest figure, and what is told once that is drawn.
    const waiting = new Map();
    // The range and the way of dragging that the figure itself has.
    const given = new WeakMap();
    const onScreen = new Set(), watched = new WeakSet();
    let isPlanned = false;
    // Plotly.js' own.
    let react = null;

    function place(plot, isOnScreen) {
        if (isOnScreen) onScreen.add(plot);
        else onScreen.delete(plot);
    }

    const watcher = new IntersectionObserver(entries => {
        for (const {target, isIntersecting} of entries) place(target, isIntersecting);
    });

    function watch(plot) {
        const {top, bottom} = plot.getBoundingClientRect();
        place(plot, bottom > 0 && top < innerHeight);
        watched.add(plot);
        watcher.observe(plot);
    }

    // A zoom stays where the axis means the same. Plotly.js would see to that by itself, but
    // Dash writes it back into the figure as if it were new.
    function keepZoom(plot, layout) {
        const {uirevision, xaxis, dragmode, datarevision} = layout;
        const own = given.get(plot), shown = plot.layout;
        if (own?.datarevision === datarevision) return;
        given.set(plot, {range: xaxis?.range?.slice(), dragmode, datarevision});
        if (!own || uirevision === undefined || shown?.uirevision !== uirevision) return;
        if (shown.dragmode !== own.dragmode) layout.dragmode = shown.dragmode;
        if (own.range && String(shown.xaxis.range) !== String(own.range))
            layout.xaxis = {...xaxis, range: shown.xaxis.range};
    }

    function draw(plot) {
        const {figure, tell} = waiting.get(plot);
        waiting.delete(plot);
        plot.classList.remove("undrawn");
        keepZoom(plot, figure.layout);
        const drawn = react(plot, figure);
        tell?.(drawn);
    }

    // The first to be seen: from the top, and what is on the screen before the rest.
    function first() {
        const plots = [...waiting.keys()];
        const shown = plots.filter(plot => onScreen.has(plot));
        return (shown.length ? shown : plots).reduce((one, other) =>
            one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_PRECEDING ? other : one);
    }

    const drawAll = () => { for (const plot of [...waiting.keys()]) draw(plot); };

    // A task between two frames, and one after the next.
    function plan() {
        if (isPlanned) return;
        isPlanned = true;
        setTimeout(() => {
            if (waiting.size) draw(first());
            requestAnimationFrame(() => setTimeout(() => {
                drawAll();
                isPlanned = false;
            }));
        });
    }

    function drawLater(plot, figure) {
        if (!watched.has(plot)) watch(plot);
        // Dash asks for nothing else before this is settled. Only to a chart that isn't
        // there yet does it have things to do.
        let tell;
        const settled = plot._fullLayout ? Promise.resolve(plot)
            : new Promise(done => { tell = done; });
        waiting.set(plot, {figure, tell});
        plot.classList.add("undrawn");
        plan();
        return settled;
    }

    // Nobody meets a chart that waits: not the paper, the pointer, nor the focus.
    window.addEventListener("beforeprint", drawAll);
    for (const touch of ["pointerover", "pointerdown", "focusin"])
        document.addEventListener(touch, event => {
            const plot = event.target.closest?.(".js-plotly-plot")
                ?? event.target.closest?.("section")?.querySelector(".js-plotly-plot");
            if (waiting.has(plot)) draw(plot);
        }, true);

    // Plotly.js comes when the first chart does.
    Object.defineProperty(window, "Plotly", {configurable: true, set(loaded) {
        const {Plots} = loaded;
        react = loaded.react;
        const later = {
            react: drawLater,
            // A chart that waits is drawn in its new size anyway.
            Plots: {...Plots, resize: async plot => waiting.has(plot) || Plots.resize(plot)},
        };
        Object.defineProperty(window, "Plotly",
            {value: {...loaded, ...later}, writable: true, configurable: true});
    }});
})();
