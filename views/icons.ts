/** Inline pictures: no request, no style, hidden from screen readers, which have the words beside. */

import { raw, type Html } from '../src/web/html.ts';

export type IconName = 'google' | 'github' | 'oidc' | 'warning' | 'check' | 'search';

function icon(size: number, content: string): Html {
  return raw(
    `<svg class="icon" viewBox="0 0 ${size} ${size}" width="20" height="20" aria-hidden="true">${content}</svg>`,
  );
}

const line =
  'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';

const icons: Record<IconName, Html> = {
  google: icon(
    18,
    '<path fill="#4285F4" d="M17.64 9.2c0-.64-.06-1.25-.16-1.84H9v3.48h4.84a4.14 4.14 0 0 1-1.8 2.72v2.26h2.92a8.78 8.78 0 0 0 2.68-6.62z"/>' +
      '<path fill="#34A853" d="M9 18c2.43 0 4.47-.8 5.96-2.18l-2.92-2.26c-.8.54-1.83.86-3.04.86-2.34 0-4.32-1.58-5.03-3.7H.96v2.32A9 9 0 0 0 9 18z"/>' +
      '<path fill="#FBBC05" d="M3.97 10.71a5.4 5.4 0 0 1 0-3.42V4.96H.96a9 9 0 0 0 0 8.08l3.01-2.33z"/>' +
      '<path fill="#EA4335" d="M9 3.58c1.32 0 2.5.46 3.44 1.35l2.58-2.59A9 9 0 0 0 .96 4.96l3.01 2.33C4.68 5.16 6.66 3.58 9 3.58z"/>',
  ),
  github: icon(
    16,
    '<path fill="currentColor" d="M8 0a8 8 0 0 0-2.53 15.59c.4.07.55-.17.55-.38l-.01-1.49c-2.01.37-2.53-.49-2.69-.94-.09-.23-.48-.94-.82-1.13-.28-.15-.68-.52-.01-.53.63-.01 1.08.58 1.23.82.72 1.21 1.87.87 2.33.66.07-.52.28-.87.51-1.07-1.78-.2-3.64-.89-3.64-3.95 0-.87.31-1.59.82-2.15-.08-.2-.36-1.02.08-2.12 0 0 .67-.21 2.2.82a7.5 7.5 0 0 1 4 0c1.53-1.04 2.2-.82 2.2-.82.44 1.1.16 1.92.08 2.12.51.56.82 1.27.82 2.15 0 3.07-1.87 3.75-3.65 3.95.29.25.54.73.54 1.48l-.01 2.2c0 .21.15.46.55.38A8 8 0 0 0 8 0z"/>',
  ),
  oidc: icon(
    24,
    `<g ${line}><circle cx="8" cy="15" r="4"/><path d="m11 12 8-8M16 7l3 3M13.500 9.500l2 2"/></g>`,
  ),
  warning: icon(
    24,
    `<g ${line}><circle cx="12" cy="12" r="9"/><path d="M12 7.500v5M12 16.400v.1"/></g>`,
  ),
  check: icon(24, `<path ${line} d="m5 12.500 4.500 4.500L19 7.500"/>`),
  search: icon(
    24,
    `<g ${line}><circle cx="11" cy="11" r="6.500"/><path d="m16 16 4.500 4.500"/></g>`,
  ),
};

export function iconOf(name: IconName): Html {
  return icons[name];
}
