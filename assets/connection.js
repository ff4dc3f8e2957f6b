// Between the page and the server: no pick fails silently, and no answer is never shown as
// an answer. What isn't answered is asked again until it is, or until something newer is
// asked; meanwhile the page says that it shows the view before, and is marked so. What is asked
// for a section says so there alone: the charts are right without it.
(() => {
    const SOON = 300, PATIENCE = 900;
    const FIRST_PAUSE = 500, LONGEST_PAUSE = 10_000, FIRST_LIMIT = 30_000;
    const JUST_RELOADED = 10_000;
    const OFTEN = 60_000;
    const AWAY = [502, 503, 504];
    const FOREVER = 2 ** 31 - 1;  // Milliseconds, the most that a timer takes.
    const LATE = Symbol("no answer in time");
    // What is asked for a section, by its name.
    const outputOf = section => `${section}-answered.data`;
    const sectionOf = output => output.match(/^(\w+)-answered\.data$/)?.[1] ?? null;

    const send = window.fetch.bind(window);
    // The newest call for each output, until it is answered.
    const calls = new Map();
    const asleep = new Set();
    const root = document.documentElement;

    // Where people sign in, a page says so; see signed_in.js.
    const signing = document.querySelector("meta[name=signed-in]");
    let isOut = false;

    function signIn() {
        const here = encodeURIComponent(location.pathname + location.search);
        return `${signing.dataset.root}login?next=${here}`;
    }

    // An answer that was known here says nothing of the session.
    function notice({status, headers}) {
        const before = isOut;
        if (status === 401) isOut = Boolean(signing);
        else if (headers.has("X-Data-Version")) isOut = false;
        if (isOut !== before) show();
    }

    function tellOut() {
        const isOld = root.classList.contains("old")
            && document.getElementById("chips")?.dataset.address;
        const still = isOld ? " This is still the view before." : "";
        const link = document.createElement("a");
        link.textContent = "Sign in again";
        link.href = signIn();
        // The address may be another meanwhile.
        link.addEventListener("click", () => { link.href = signIn(); });
        const line = tell(`You are signed out.${still}`, ` ${link.textContent}`);
        line?.append(" ", link);
    }

    // Gives the line where it was written anew, for what comes after the words.
    function tell(words, more = "") {
        // Until the page is there, in the place of "Loading...".
        const line = document.getElementById("connection")
            ?? (words && document.querySelector("._dash-loading"));
        // A reader of the screen says aloud what is written, even the same.
        if (!line || line.textContent === words + more) return null;
        line.textContent = words;
        return line;
    }

    function show() {
        const open = [...calls.values()].filter(call => call.section === null);
        const told = open.filter(call => call.words);
        // What is seen comes before what stands beside it.
        const weight = call => 2 * Boolean(call.isWrong) - Boolean(call.isAside);
        const [worst] = told.toSorted((one, other) => weight(other) - weight(one));
        // To be slow is no alarm.
        root.classList.toggle("wrong", isOut || Boolean(worst?.isWrong));
        root.classList.toggle("old", told.some(call => !call.isAside));
        root.classList.toggle("waiting", !isOut && open.some(call => call.isSlow));
        root.classList.toggle("listing", Boolean(!isOut && calls.get("listed.data")?.isSlow));
        if (isOut) tellOut();
        else tell(worst?.words ?? "");
    }

    // What has gone wrong, and what that means for what is seen.
    function say(call, words, isWrong = true) {
        const drawn = document.getElementById("chips")?.dataset.address;
        const still = drawn && !call.isAside ? " This is still the view before" : "";
        const again = still ? "; trying again…" : " Trying again…";
        call.words = words + still + (isWrong ? again : still && ".");
        call.isWrong = isWrong;
        if (call.section === null) show();
        else dash_clientside.sections.say(call.section, call.words);
    }

    const wakeAll = () => { for (const wake of [...asleep]) wake(); };

    function pause(time) {
        return new Promise(done => {
            const wake = () => {
                clearTimeout(timer);
                asleep.delete(wake);
                done();
            };
            const timer = setTimeout(wake, time);
            asleep.add(wake);
        });
    }

    // The whole answer: where its end is missing there is none. What takes too long is given
    // up, as a connection may be lost without a word; that is no failure of the server.
    async function attempt(call, resource, options, limit) {
        const stop = new AbortController();
        call.stop = () => stop.abort();
        let isLate = false;
        const timer = setTimeout(() => { isLate = true; call.stop(); }, limit);
        try {
            const response = await send(resource, {...options, signal: stop.signal});
            const {status, statusText, headers} = response;
            const body = status === 204 ? null : await response.text();
            notice(response);
            const asGiven = new Response(body, {status, statusText, headers});
            return {body, status, headers, asGiven};
        } catch {
            return isLate ? LATE : null;
        } finally {
            clearTimeout(timer);
        }
    }

    // What is wrong with an answer, in words; "" where nothing is.
    function fault(answer) {
        // Where a frame is a sandbox, browsers let nothing through that the server doesn't
        // offer to everyone.
        if (answer === null && window.origin === "null")
            return "This frame keeps the page from its server: please open it in its own tab.";
        if (answer === null || AWAY.includes(answer.status)) return "The server doesn't answer.";
        const {status, body, headers} = answer;
        const type = headers.get("Content-Type") ?? "";
        if (status === 204 || status === 200 && type.includes("json")) return "";
        const why = type.startsWith("text/plain") ? `: ${body.slice(0, 200)}` : "";
        return `The server refused this (${status}${why}).`;
    }

    // A page that came by a reload is loaded again only when it has been in use since:
    // servers that take turns with different data would have it reload without end.
    const {reloaded} = history.state ?? {};
    let answered = false;

    function isOther({headers}) {
        const here = document.querySelector("main")?.dataset.version;
        const there = headers.get("X-Data-Version");
        if (here && here === there) answered = true;
        return Boolean(here && there && here !== there);
    }

    function mayReload() {
        return !reloaded || answered && Date.now() - reloaded > JUST_RELOADED;
    }

    // The server was started again with other data: what was picked stays, as far as the
    // data has it.
    function reload(call, {status, body}) {
        call.words = "The server has other data now. The page is loaded again…";
        // It is of the whole page, whatever was asked.
        call.section = null;
        show();
        const picked = status === 200 && JSON.parse(body).response?.url?.search;
        history.replaceState({reloaded: Date.now()}, "", picked || location.href);
        location.reload();
        return new Promise(() => {});
    }

    async function ask(output, resource, options) {
        const before = calls.get(output), section = sectionOf(output);
        before?.stop();
        const {turns} = dash_clientside;
        if (before) turns.end(before.turn);
        const call = {words: before?.words ?? "", isWrong: before?.isWrong,
            // The same in each attempt, so that an answer that comes late is for all.
            turn: turns.begin(), isSlow: before?.isSlow,
            // What is beside the view says for itself that it isn't there yet.
            isAside: section !== null || output.includes(".options@")
                || output === "listed.data",
            section};
        calls.set(output, call);
        wakeAll();
        const isNewest = () => calls.get(output) === call;
        const soon = setTimeout(() => {
            call.isSlow = true;
            if (isNewest()) show();
        }, SOON);
        const late = setTimeout(() => {
            if (isNewest() && !call.words && output !== "listed.data")
                say(call, "No answer yet.", false);
        }, PATIENCE);
        try {
            for (let time = FIRST_PAUSE, limit = FIRST_LIMIT; ; limit *= 2) {
                const asked = turns.named(options, call.turn);
                const answer = await attempt(call, resource, asked, limit);
                // The answer to an earlier pick comes to nothing: Dash ignores it as well.
                if (!isNewest()) return new Response(null, {status: 204});
                if (answer === LATE) {
                    if (!call.words) say(call, "No answer yet.", false);
                    continue;
                }
                const isRefused = isOut && answer?.status === 401;
                // What is gone is no other data: the view before is all there is.
                if (answer && answer.status !== 410 && isOther(answer)) {
                    if (mayReload()) return await reload(call, answer);
                    say(call, "The server has other data now. Please load the page again.");
                } else if (isRefused) {
                    // tellOut has the words.
                    call.words = " ";
                    show();
                } else {
                    const wrong = fault(answer);
                    if (!wrong) return answer.asGiven;
                    say(call, wrong);
                }
                // It is asked again when the person comes back, who may have signed in.
                await pause(isRefused ? FOREVER : time);
                if (!isNewest()) return new Response(null, {status: 204});
                time = Math.min(2 * time, LONGEST_PAUSE);
            }
        } finally {
            clearTimeout(soon);
            clearTimeout(late);
            turns.forget(call.turn);
            if (isNewest()) {
                calls.delete(output);
                if (section === null) show();
                else if (call.words) dash_clientside.sections.say(section, "");
                wakeAll();
            }
        }
    }

    // A section was folded: nobody waits for what is asked for it.
    function leave(section) {
        const output = outputOf(section), call = calls.get(output);
        if (!call) return;
        calls.delete(output);
        call.stop();
        dash_clientside.turns.end(call.turn);
        wakeAll();
        if (call.words) dash_clientside.sections.say(section, "");
    }

    // A page that is just open asks now and then whether there are new data. That nobody
    // answers is no news: the next pick will tell.
    async function look() {
        if (document.hidden) return;
        const answer = await send(`${config.requests_pathname_prefix}version`,
            {method: "HEAD", cache: "no-store"}).catch(() => null);
        const here = document.querySelector("main")?.dataset.version;
        const there = answer?.status === 204 && answer.headers.get("X-Data-Version");
        if (!here || !there) return;
        const line = document.getElementById("news");
        if (here === there) return line.replaceChildren();
        // A reader of the screen says it once.
        if (line.hasChildNodes()) return;
        const button = document.createElement("button");
        button.textContent = "Load them";
        button.addEventListener("click", () => location.reload());
        line.replaceChildren("There are new data. ", button);
    }

    // In debug mode the page is loaded again anyway.
    const config = JSON.parse(document.getElementById("_dash-config").textContent);
    if (!config.ui) {
        setInterval(look, OFTEN);
        document.addEventListener("visibilitychange", look);
    }

    window.addEventListener("online", wakeAll);
    window.addEventListener("focus", wakeAll);
    window.fetch = (resource, options) => {
        const path = String(resource);
        if (/\/_dash-(layout|dependencies)$/.test(path)) return ask(path, resource, options);
        if (!path.includes("/_dash-update-component") || !options?.body)
            return send(resource, options).then(response => {
                notice(response);
                return response;
            });
        return ask(JSON.parse(options.body).output, resource, options);
    };
    window.dash_clientside = Object.assign({}, window.dash_clientside, {connection: {leave}});
})();
