// In debug mode Dash's menu begins folded: one click opens it, and it stays as it is left.
// Errors are shown either way.
(() => {
    const FOLDED = "dash_debug_menu_collapsed";
    const {ui} = JSON.parse(document.getElementById("_dash-config").textContent);
    try {
        if (ui && localStorage.getItem(FOLDED) === null) localStorage.setItem(FOLDED, "true");
    } catch {
        // Without storage it is open.
    }
})();
