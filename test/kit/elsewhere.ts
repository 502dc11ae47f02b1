/** A page of somebody else, for links that come from there. */

import type { Page } from '../../dev/walk.ts';

export const elsewhere: Page = {
  url: 'https://elsewhere.test/',
  status: 200,
  headers: {},
  text: '',
  title: '',
  visible: '',
  forms: [],
  links: [],
  history: [],
  stopped: false,
};
