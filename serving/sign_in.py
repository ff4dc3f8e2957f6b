"""The page for signing in: one form, which needs no script and no other file."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Final

_STYLE: Final = """
:root {
    color-scheme: light dark;
    --page: light-dark(#f4f6f8, #0f1318);
    --card: light-dark(#ffffff, #181d24);
    --ink: light-dark(#1f2733, #e4e8ee);
    --soft: light-dark(#566070, #a3adba);
    --edge: light-dark(#7c8794, #6f7b8a);
    --line: light-dark(#e3e7ec, #2b323c);
    --link: light-dark(#005a8e, #7cc4f0);
    --on-link: light-dark(#ffffff, #0f1318);
    --alarm: light-dark(#a12d1a, #ff9d8a);
}
* { box-sizing: border-box; }
body {
    display: grid;
    min-height: 100vh;
    margin: 0;
    padding: 16px;
    place-items: center;
    background: var(--page);
    color: var(--ink);
    font: 16px/1.5 system-ui, sans-serif;
}
main {
    width: min(100%, 380px);
    padding: 28px;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--card);
}
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; letter-spacing: -0.01em; }
p { margin: 4px 0 20px; color: var(--soft); font-size: 0.9rem; }
[role="alert"] {
    margin: 0 0 16px;
    padding: 8px 12px;
    border: 1px solid var(--alarm);
    border-radius: 8px;
    color: var(--alarm);
}
label { display: block; margin: 0 0 4px; font-weight: 600; font-size: 0.9rem; }
input, button {
    width: 100%;
    min-height: 44px;
    margin: 0 0 16px;
    padding: 8px 12px;
    border: 1px solid var(--edge);
    border-radius: 8px;
    background: var(--card);
    color: inherit;
    font: inherit;
}
button {
    margin: 8px 0 0;
    border-color: var(--link);
    background: var(--link);
    color: var(--on-link);
    font-weight: 600;
    cursor: pointer;
}
:is(input, button):focus-visible {
    outline: 2px solid var(--link);
    outline-offset: 2px;
}
"""

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in: Interactive User Activity Dashboard</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>Sign in</h1>
<p>Interactive User Activity Dashboard</p>
<form method="post">
{problem}<label for="name">Name</label>
<input id="name" name="name" value="{name}" autocomplete="username"
 autocapitalize="none" spellcheck="false" required{first}>
<label for="password">Password</label>
<input id="password" name="password" type="password"
 autocomplete="current-password" required{then}>
<button>Sign in</button>
</form>
</main>
</body>
</html>
"""

_DIGEST: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page."""


def form_page(problem: str = "", name: str = "") -> str:
    """The page as HTML, with what went wrong and the name that was typed."""
    said = f'<p role="alert">{escape(problem)}</p>\n' if problem else ""
    here = " autofocus"
    return _PAGE.format(
        style=_STYLE,
        problem=said,
        name=escape(name),
        first="" if name else here,
        then=here if name else "",
    )
