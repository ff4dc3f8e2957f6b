// When charts are drawn. Dash would draw all that a pick changes one behind the other, and
// only then would the browser paint: the first were seen when the last is done. So the
// first of those on the screen is painted as soon as it is drawn, then the rest: to paint
// each by itself takes as long as to draw one more. And an answer is drawn when it comes:
// Dash needs as long to hand it on as a chart to be drawn.
(() => {
    // What waits: a plot, its newest figure, and what is told once that is drawn.
    const waiting = new Map();
    // Of the figure that is drawn, its own range and way of dragging.
    const given = new WeakMap();
    const onScreen = new Set(), watched = new WeakSet();
    // While the rest is planned: settled when it is drawn.
    let planned = null;
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

    // Days, or numbers: to reset an axis rounds them anew.
    const isNear = (one, other) =>
        one === other || Math.abs(one - other) <= 1e-9 * Math.abs(one);

    // A zoom stays where the axis means the same. Plotly.js would see to that by itself, but
    // Dash writes it back into the figure as if it were new.
    function keepZoom(plot, layout) {
        const {uirevision, xaxis, dragmode, datarevision} = layout;
        const own = given.get(plot), shown = plot.layout;
        given.set(plot, {range: xaxis?.range?.slice(), dragmode, datarevision});
        if (!own || uirevision === undefined || shown?.uirevision !== uirevision) return;
        if (shown.dragmode !== own.dragmode) layout.dragmode = shown.dragmode;
        if (own.range && !own.range.every((end, i) => isNear(end, shown.xaxis.range[i])))
            layout.xaxis = {...xaxis, range: shown.xaxis.range};
    }

    function draw(plot) {
        const {figure: {data, layout, config}, tell} = waiting.get(plot);
        waiting.delete(plot);
        plot.classList.remove("undrawn");
        keepZoom(plot, layout);
        // What a chart can do never changes, and Plotly.js lays out the page to look at it.
        const drawn = plot._fullLayout ? react(plot, data, layout)
            : react(plot, {data, layout, config});
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

    // Wait until what is drawn now has been painted. In a tab that is hidden nothing is.
    let hidden = null;
    function painted() {
        return new Promise(done => {
            hidden = done;
            if (document.hidden) done();
            else requestAnimationFrame(() => setTimeout(done));
        });
    }
    document.addEventListener("visibilitychange", () => hidden?.());

    // Draw the first of what waits, let it be painted, and draw the rest.
    const rest = [];
    function drawInTurn() {
        if (waiting.size) draw(first());
        return painted().then(() => {
            planned = null;
            for (const write of rest.splice(0)) write();
            drawAll();
        });
    }

    function put(plot, figure, tell) {
        if (!watched.has(plot)) watch(plot);
        waiting.set(plot, {figure, tell});
        plot.classList.add("undrawn");
    }

    const revision = plot =>
        waiting.get(plot)?.figure.layout.datarevision ?? given.get(plot)?.datarevision;
    const isOf = (plot, {layout}) => plot._fullLayout && revision(plot) === layout.datarevision;

    // What Dash does with a figure. It asks for nothing else before this is settled, and
    // only to a chart that isn't there yet does it have things to do.
    function drawLater(plot, figure) {
        if (isOf(plot, figure)) return Promise.resolve(plot);
        let tell;
        const settled = plot._fullLayout ? Promise.resolve(plot)
            : new Promise(done => { tell = done; });
        put(plot, figure, tell);
        // A task of its own, once Dash is through with all of them.
        planned ??= new Promise(done => setTimeout(done)).then(drawInTurn);
        return settled;
    }

    // Show the figures of an answer, by chart. What else it says is written *now*, with the
    // first of them, or *then*, with the rest. Settled when all are drawn. Before the charts
    // are there, all is left to Dash.
    function show(figures, now, then) {
        const plots = Object.keys(figures)
            .map(chart => document.querySelector(`#${chart} .js-plotly-plot`));
        if (!plots.every(plot => plot?._fullLayout)) return undefined;
        Object.values(figures).forEach((figure, i) => {
            if (!isOf(plots[i], figure)) put(plots[i], structuredClone(figure));
        });
        now();
        if (!waiting.size) return then();
        rest.push(then);
        return planned ??= drawInTurn();
    }

    window.dash_clientside = Object.assign({}, window.dash_clientside, {charts: {show}});

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
