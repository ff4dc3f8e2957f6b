// What the page asks for, and what of that it has no use for any more: the server ends it,
// where it still works on it. Each has a name that nobody else can guess.
(() => {
    const SOON = 300, MOST = 50;
    const send = window.fetch.bind(window);
    const page = Array.from(crypto.getRandomValues(new Uint8Array(16)),
        byte => byte.toString(16).padStart(2, "0")).join("");
    let number = 0;
    // What is over, and the server hasn't heard of; what ends with something else.
    const over = new Set(), others = new Map();
    let timer = null;

    const begin = () => `${page}-${++number}`;

    const withHeader = (options, name, value) =>
        ({...options, headers: {...options?.headers, [name]: value}});

    // The options of a request in the name of a turn; it may be answered here.
    const named = (options, turn) => withHeader(options, "X-Turn", turn);

    // The options of a request that does go to the server: it tells what is over.
    function telling(options) {
        const said = [...over].slice(0, MOST);
        said.forEach(each => over.delete(each));
        return said.length ? withHeader(options, "X-Over", said.join(" ")) : options;
    }

    // What is picked instead may be known here: then no other request tells.
    function tell() {
        if (!over.size) return;
        const config = JSON.parse(document.getElementById("_dash-config").textContent);
        send(`${config.requests_pathname_prefix}version`,
            {method: "HEAD", cache: "no-store"}).catch(() => {});
    }

    function end(turn) {
        over.add(turn);
        for (const other of others.get(turn) ?? []) over.add(other);
        others.delete(turn);
        clearTimeout(timer);
        timer = setTimeout(tell, SOON);
    }

    // Something else is asked for because of a turn: it ends with that.
    function join(turn, other) {
        others.set(turn, [...others.get(turn) ?? [], other]);
    }

    const forget = turn => others.delete(turn);

    window.dash_clientside = Object.assign({}, window.dash_clientside,
        {turns: {begin, named, telling, end, join, forget}});
})();
