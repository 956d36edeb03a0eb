/** The look of the one-time pages: one column, the system's own type, light and dark. */
export const PAGES_CSS = `
:root {
  color-scheme: light dark;
  --ground: #f4f1ec; --sheet: #fffdfa; --ink: #25211d; --soft: #6a6159; --line: #ddd5ca;
  --accent: #9a3f1d; --accent-ink: #fff; --done: #2c6a45; --refused: #a32020; --field: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #191715; --sheet: #221f1c; --ink: #ece6de; --soft: #a89d91; --line: #3b3631;
    --accent: #e2895f; --accent-ink: #1c110b; --done: #7cc499; --refused: #f08d84; --field: #191715;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: clamp(1rem, 6vh, 5rem) 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main {
  max-width: 34rem; margin: 0 auto; padding: clamp(1.25rem, 5vw, 2.25rem);
  background: var(--sheet); border: 1px solid var(--line); border-top: 4px solid var(--accent);
  border-radius: 12px; overflow-wrap: anywhere;
}
main.done { border-top-color: var(--done); }
main.refused { border-top-color: var(--refused); }
.brand { margin: 0 0 1.25rem; color: var(--soft); font-size: .875rem; letter-spacing: .02em; }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; }
h2 { margin: 1.75rem 0 .5rem; font-size: 1rem; }
p, ul { margin: 0 0 1rem; }
ul { padding-left: 1.25rem; }
li { margin-bottom: .375rem; }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .375rem 1rem; margin: 0 0 1.25rem; }
dt { color: var(--soft); }
dd { margin: 0; }
form { margin: 1.5rem 0 1rem; }
main > :last-child, .alert > :last-child, fieldset > :last-child { margin-bottom: 0; }
.field { margin-bottom: 1.25rem; }
.field > label { display: block; margin-bottom: .25rem; font-weight: 600; }
.hint, .small { color: var(--soft); font-size: .875rem; }
.hint { display: block; margin: 0 0 .375rem; }
.problem { display: block; margin-top: .375rem; color: var(--refused); font-size: .9375rem; }
.alert { padding: .75rem 1rem; border: 1px solid var(--refused); border-radius: 8px; color: var(--refused); }
input[type=text], input[type=password], textarea {
  width: 100%; min-height: 2.75rem; padding: .5rem .75rem; border: 1px solid var(--soft); border-radius: 8px;
  background: var(--field); color: inherit; font: inherit;
}
textarea { min-height: 9rem; resize: vertical; font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
input[aria-invalid=true], textarea[aria-invalid=true] { border-color: var(--refused); }
input.code { max-width: 11rem; font-size: 1.375rem; letter-spacing: .2em; }
fieldset { margin: 0 0 1.25rem; padding: .75rem 1rem; border: 1px solid var(--line); border-radius: 8px; }
legend { padding: 0 .375rem; font-weight: 600; }
.choice { display: flex; gap: .625rem; align-items: baseline; min-height: 2.25rem; }
.choice input { width: 1.125rem; height: 1.125rem; accent-color: var(--accent); flex: none; }
button {
  width: 100%; min-height: 2.875rem; padding: .5rem 1.25rem; border: 0; border-radius: 8px;
  background: var(--accent); color: var(--accent-ink); font: inherit; font-weight: 650; cursor: pointer;
}
button:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code, output, pre { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; font-size: .875rem; }
output, pre {
  display: block; margin: 0 0 1rem; padding: .75rem; border: 1px solid var(--line); border-radius: 8px;
  background: var(--field); user-select: all; white-space: pre-wrap; overflow-wrap: anywhere;
}
@media (min-width: 34rem) { button { width: auto; min-width: 12rem; } }
`;
