// Who has signed in, and the way out, where the program has people sign in (see
// serving/login.py); connection.js says when a session has ended.
(() => {
    const meta = document.querySelector("meta[name=signed-in]");
    if (!meta) return;
    const {root} = meta.dataset;

    async function signOut(button) {
        const answer = await fetch(`${root}logout`, {method: "POST", redirect: "manual"})
            .catch(() => null);
        if (answer) location.assign(`${root}login`);
        else button.textContent = "Not signed out: no answer";
    }

    function write() {
        const place = document.getElementById("signed-in");
        if (!place) return false;
        const name = document.createElement("span");
        name.textContent = `Signed in as ${meta.content}`;
        name.title = meta.content;
        const button = document.createElement("button");
        button.textContent = "Sign out";
        button.addEventListener("click", () => signOut(button));
        place.append(name, button);
        return true;
    }

    // Dash makes the place some time after this.
    new MutationObserver((_, observer) => { if (write()) observer.disconnect(); })
        .observe(document.documentElement, {childList: true, subtree: true});

    // The way back of the browser leads to no page of somebody who has signed out.
    window.addEventListener("pageshow", ({persisted}) => { if (persisted) location.reload(); });
})();
