/** How the sample apps look. Nothing here has to do with signing in. */

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is markup already. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | readonly Markup[];

const render = (part: Part): string => {
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map((one) => one.text).join('');
  return part.replace(/[&<>"']/g, (character) => entities[character] ?? '');
};

/** Escapes whatever is put into it. */
export function markup(parts: TemplateStringsArray, ...values: Part[]): Markup {
  return new Markup(
    parts.reduce((text, part, index) => text + render(values[index - 1] ?? '') + part),
  );
}

export const style = `
:root { color-scheme: light dark; --paper: #fff; --back: #f3f4f7; --ink: #1b1d24; --quiet: #5b6070;
  --line: #d9dce4; --accent: #3f3fbf; --on-accent: #fff; --code: #f6f7fa; }
@media (prefers-color-scheme: dark) { :root { --paper: #1d1f26; --back: #14151a; --ink: #eceef4;
  --quiet: #a5aabb; --line: #363a46; --accent: #a5a8ff; --on-accent: #14151a; --code: #16181e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 40rem; margin: 8vh auto 3rem; padding: 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: 12px; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 1.5rem; color: var(--quiet); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1.5rem; margin: 0 0 1.5rem; }
dt { color: var(--quiet); }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
nav, form { display: flex; flex-wrap: wrap; gap: .5rem; margin: 0; }
button, .button { font: inherit; color: inherit; min-height: 44px; padding: .5rem 1rem;
  border: 1px solid var(--line); border-radius: 8px; background: none; cursor: pointer;
  text-decoration: none; display: inline-flex; align-items: center; }
button:hover, .button:hover { border-color: var(--accent); }
.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
pre { margin: 0; padding: 1rem; background: var(--code); border-radius: 8px; overflow: auto;
  font-size: .8125rem; line-height: 1.5; }
[hidden] { display: none; }
@media (max-width: 30rem) { main { margin: 0; border: 0; border-radius: 0; min-height: 100vh; } }
`;

export function page(title: string, body: Markup): string {
  const head = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>`;
  return `${head.text}
<body><main>${body.text}</main></body>
</html>
`;
}
