// Letters typed in an open dropdown go to its search: Dash leaves the focus on the
// option that is selected, where they would be lost.
document.addEventListener("keydown", event => {
    const list = event.target.closest(".dash-dropdown-content");
    const types = event.key.length === 1 && event.key !== " "
        && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (list && types) list.querySelector(".dash-dropdown-search")?.focus();
});
