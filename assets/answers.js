// Answers that are known: of the last views that were shown, which are shown again without
// asking the server, and of the option or link that the pointer or the keyboard rests on,
// or the bar that is pressed, which is asked for before it is picked. A pick that isn't known
// here goes on to the server.
(() => {
    // Fifty views, each with its table of users.
    const MOST = 100, RESTS = 50, LIMIT = 10_000;
    const ask = window.fetch.bind(window);
    const send = (resource, options) => ask(resource, dash_clientside.turns.telling(options));
    // By output and address, the oldest first: a view's parts, or the promise of them.
    const known = new Map();
    // The newest request for each output, which the next is made from.
    const newest = {};
    // What the pointer or the keyboard rests on, and what is asked for because of that.
    let resting = null, ahead = [];

    const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

    // The order of its keys says nothing of a view.
    function canonical(address) {
        const query = new URLSearchParams(address);
        query.sort();
        return `?${query}`;
    }

    const isView = ({output}) => output.includes("drawn.data");
    const drawnBefore = ({state}) => state?.find(({id}) => id === "drawn")?.value;
    const charts = ({outputs}) =>
        outputs.filter(({property}) => property === "figure").map(({id}) => id);
    const valuesOf = request => Object.fromEntries(
        request.inputs.map(({id, property, value}) => [`${id}.${property}`, value]));

    const keyOf = ({output}, address) => `${output} ${canonical(address)}`;

    // The address of a view once a user, or everyone as "", is picked in their list.
    function withUser(address, user) {
        const query = new URLSearchParams(address);
        query.delete("sheet");
        query.delete("part");
        query.set("user", user);
        return `?${query}`;
    }

    // The address that a request asks for; null where only the server can tell.
    function addressOf(request) {
        const [changed, ...more] = request.changedPropIds;
        const values = valuesOf(request);
        if (more.length) return null;
        if (changed === "url.search") return values[changed] ?? "";
        const {address} = isView(request) && drawnBefore(request) || {};
        if (changed !== "user.value" || address === undefined) return null;
        return withUser(address, values[changed]);
    }

    function keep(key, answer) {
        known.delete(key);
        known.set(key, answer);
        while (known.size > MOST) known.delete(known.keys().next().value);
    }

    // Take an answer apart: what it leaves out is as it was before. Undefined where it is
    // no view.
    function learn(request, {response}) {
        if (!isView(request)) {
            // A failure is no answer.
            if (!response.listed) return undefined;
            keep(keyOf(request, addressOf(request)), {response});
            return undefined;
        }
        // A failure says so, and nothing else.
        if (!response.drawn) return undefined;
        const {words: {data: page}, drawn: {data: {address, ...revisions}}} = response;
        const before = drawnBefore(request)?.address;
        const {figures: old} = before === undefined ? {} : known.get(keyOf(request, before)) ?? {};
        const figures = Object.fromEntries(charts(request).map(chart => [chart,
            response[chart]?.figure ?? old?.[chart]]));
        if (Object.values(figures).includes(undefined)) return undefined;
        const controls = valuesOf(request);
        for (const {id, property} of request.inputs)
            if (response[id] && property in response[id])
                controls[`${id}.${property}`] = response[id][property];
        const lists = Object.entries(response)
            .filter(([, properties]) => properties.options)
            .map(([id, {options}]) => [id, options]);
        const view = {address, page, revisions, figures, controls, lists};
        // What an address has too much is said once.
        const text = {...page.text, notice: ""};
        keep(keyOf(request, address), {...view, page: {...page, text}});
        if (!page.text.notice) keep(keyOf(request, page.asked), view);
        return view;
    }

    // Answer a request from a view's parts, as the server does: only what is other than it
    // was. Undefined where that can't be said.
    function recall(request, view) {
        if (!isView(request)) return view;
        const [changed] = request.changedPropIds;
        const before = drawnBefore(request) ?? {}, said = valuesOf(request);
        const shown = known.get(keyOf(request, before.address ?? ""));
        // Something else was picked as well, and not yet answered.
        const pending = name => name !== changed && !same(said[name], shown.controls[name]);
        if (!shown?.controls || Object.keys(said).some(pending)) return undefined;
        const response = {};
        const put = (id, property, value) => { (response[id] ??= {})[property] = value; };
        const asked = changed === "url.search" ? said[changed] : view.address;
        // The options first: a value that is no option yet would be reset.
        if (changed === "url.search") {
            const searched = request.outputs.filter(({property}) => property === "options");
            if (searched.length > view.lists.length) return undefined;
            for (const [id, options] of view.lists) put(id, "options", options);
        }
        for (const {id, property} of request.inputs) {
            const name = `${id}.${property}`;
            const wanted = name === "url.search" ? asked : view.controls[name];
            if (!same(said[name], wanted)) put(id, property, wanted ?? null);
        }
        for (const [chart, figure] of Object.entries(view.figures))
            if (before[chart] !== view.revisions[chart]) put(chart, "figure", figure);
        put("drawn", "data", {...view.revisions, address: view.address});
        put("words", "data", {...view.page, asked});
        put("problem", "children", "");
        return {response};
    }

    // A request that nobody waits for yet: it is given up in a while, or before.
    function begin(address) {
        const {turns} = dash_clientside;
        const turn = turns.begin(), stop = new AbortController();
        const call = {
            address: canonical(address),
            send: (resource, options) =>
                send(resource, {...turns.named(options, turn), signal: stop.signal}),
            // The server goes on: whoever asks it again gets what it is working on.
            abandon: () => stop.abort(),
            giveUp() {
                stop.abort();
                turns.end(turn);
                call.leave();
            },
            leave() {
                clearTimeout(timer);
                ahead = ahead.filter(other => other !== call);
            },
            // It is picked: it ends with the turn of the pick.
            goWith(other) {
                call.leave();
                turns.join(other, turn);
            },
        };
        const timer = setTimeout(call.giveUp, LIMIT);
        ahead.push(call);
        return call;
    }

    // Ask for a view, and its table of users, before Dash does: never shown, only known
    // when it is. Nobody waits for it until it is picked: what a pick waits for ends with
    // that, and anything else when something else is expected.
    function expect(address, calls = Object.values(newest), turn = null) {
        const base = newest.view && known.get(keyOf(newest.view.request, drawnAddress()));
        if (!base?.controls) return;
        for (const one of turn ? [] : ahead)
            if (one.address !== canonical(address)) one.giveUp();
        for (const {resource, options, request} of calls) {
            const key = keyOf(request, address);
            if (known.has(key)) continue;
            const inputs = request.inputs.map(input => {
                const name = `${input.id}.${input.property}`;
                const value = name === "url.search" ? address : base.controls[name];
                return {...input, value};
            });
            const before = {...base.revisions, address: base.address};
            const state = request.state?.map(part =>
                part.id === "drawn" ? {...part, value: before} : part);
            const changes = ["url.search"];
            const asked = {...request, inputs, state,
                changedPropIds: changes, parsedChangedPropsIds: changes};
            const body = JSON.stringify(asked);
            const call = begin(address);
            if (turn) call.goWith(turn);
            const coming = call.send(resource, {...options, body})
                .then(async response => {
                    if (isAnswer(response)) learn(asked, await response.json());
                })
                .catch(() => {})
                .then(() => {
                    call.leave();
                    if (known.get(key) === coming) known.delete(key);
                });
            coming.call = call;
            keep(key, coming);
        }
    }

    const drawnAddress = () => document.getElementById("chips")?.dataset.address ?? "";

    // An answer of the page's own data, and nothing else.
    function isAnswer({status, headers}) {
        const here = document.querySelector("main")?.dataset.version;
        const there = headers.get("X-Data-Version");
        const isJson = headers.get("Content-Type")?.includes("json");
        return status === 200 && isJson && (!here || !there || here === there);
    }

    function aborted(signal) {
        return new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
    }

    // Show a view as the answer to *asked*, with its table of users where that is known. What
    // can't be drawn is no fault of the answer: Dash gets it all the same.
    async function show(view, asked) {
        const {charts, page} = dash_clientside;
        const list = newest.users && known.get(keyOf(newest.users.request, asked));
        const users = list?.response?.listed.data;
        try {
            await charts.show(view.figures,
                () => page.writePage({...view.page, asked}, users), () => page.writeUsers(users));
        } catch (error) {
            reportError(error);
        }
    }

    // A known view is shown with the click: Dash needs as long to ask for it as a chart to
    // be drawn. What is being asked for comes first: it was picked before.
    function showKnown(address) {
        const {view: call} = newest;
        const view = call?.isAnswered && known.get(keyOf(call.request, address));
        if (view?.figures) show(view, view.address);
    }

    // Wait for what was asked for ahead, with all that belongs to it.
    async function waitFor(coming, {headers, signal}) {
        const {call} = coming;
        for (const one of [call, ...ahead.filter(({address}) => address === call.address)])
            one.goWith(headers["X-Turn"]);
        try {
            await Promise.race([coming, aborted(signal)]);
        } catch (error) {
            call.abandon();
            throw error;
        }
    }

    async function answer(call) {
        const {resource, options, request} = call;
        newest[isView(request) ? "view" : "users"] = call;
        // An answer says what is other than before: that stays known.
        const base = keyOf(request, drawnBefore(request)?.address ?? "");
        if (known.has(base)) keep(base, known.get(base));
        const address = addressOf(request);
        const key = address === null ? null : keyOf(request, address);
        if (known.get(key) instanceof Promise) await waitFor(known.get(key), options);
        const found = known.get(key);
        const recalled = found && recall(request, found);
        if (recalled) {
            keep(key, found);
            if (isView(request)) await show(found, recalled.response.words.data.asked);
            return Response.json({multi: true, ...recalled});
        }
        // Of an address Dash asks for both at once, else for the table when it has the view.
        const isPick = isView(request) && request.changedPropIds[0] !== "url.search";
        if (isPick && address !== null && newest.users)
            expect(address, [newest.users], options.headers["X-Turn"]);
        const response = await send(resource, options);
        if (!isAnswer(response)) return response;
        const body = await response.text();
        const view = learn(request, JSON.parse(body));
        // Dash takes no notice of the answer to an earlier pick.
        if (view && newest.view === call) await show(view, view.page.asked);
        const {status, statusText, headers} = response;
        return new Response(body, {status, statusText, headers});
    }

    window.fetch = (resource, options) => {
        if (!String(resource).includes("/_dash-update-component") || !options?.body)
            return send(resource, options);
        const request = JSON.parse(options.body);
        const kept = isView(request) || request.output === "listed.data";
        if (!kept) return send(resource, options);
        const call = {resource, options, request};
        return answer(call).finally(() => { call.isAnswered = true; });
    };

    // The view that an option of the list of users leads to; null for anything else.
    function optionOf(element) {
        const option = element.closest?.(".dash-dropdown-option");
        const list = option?.closest(".dash-dropdown-content");
        if (!list || list.id !== document.getElementById("user").getAttribute("aria-controls"))
            return null;
        const user = option.querySelector("input").value;
        // To pick who is shown changes nothing.
        const isShown = user === new URLSearchParams(drawnAddress()).get("user");
        return isShown ? null : withUser(drawnAddress(), user);
    }

    function rest({target}) {
        const address = target.closest?.("a[href^='?']")?.getAttribute("href") ?? optionOf(target);
        if (address === resting?.address) return;
        clearTimeout(resting?.timer);
        resting = address === null ? null
            : {address, timer: setTimeout(() => expect(address), RESTS)};
    }

    // Before Dash takes the option away.
    document.addEventListener("click", ({target}) => {
        const address = optionOf(target);
        if (address !== null) showKnown(address);
    }, true);
    window.addEventListener("popstate", () => showKnown(location.search));
    document.addEventListener("pointerover", rest);
    document.addEventListener("focusin", rest);
    // For what page.js makes an address of.
    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {answers: {expect, showKnown}});
})();
