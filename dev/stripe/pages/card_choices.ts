/** The test cards as buttons: what each does is what one looks for, not its number. */

import { markup } from '../../look.ts';
import type { Markup } from '../../look.ts';
import { cards } from '../cards.ts';

interface CardChoice {
  card: string;
  title: string;
  about: string;
}

const choices: readonly CardChoice[] = [
  { card: cards.pays, title: 'A card that pays', about: '4242 4242 4242 4242' },
  { card: cards.declined, title: 'A card that is declined', about: '4000 0000 0000 0002' },
  {
    card: cards.authenticates,
    title: 'A card whose bank asks first',
    about: '4000 0025 0000 3155, allow or refuse on the next page',
  },
  {
    card: cards.failsLater,
    title: 'A card that fails later',
    about: '4000 0000 0000 0341, can be stored, but no charge of it succeeds',
  },
];

const debit: CardChoice = {
  card: cards.bankDebit,
  title: 'A debit of a bank account',
  about: 'takes days: you decide later whether the money comes',
};

/** Buttons `card=<number>`; the first is what the Enter key presses. @param verb such as `Pay` */
export function cardButtons({ withDebit }: { withDebit: boolean }): Markup {
  const offered = withDebit ? [...choices, debit] : choices;
  return markup`${offered.map(
    ({ card, title, about }, index) =>
      markup`<button class="card${index === 0 ? ' primary' : ''}" name="card" value="${card}">${title}<span>${about}</span></button>
`,
  )}`;
}

/** The bank's question, in its own words. */
export function bankQuestion(to: string, what: string): Markup {
  return markup`<h1>Your bank asks</h1>
<p>Do you allow this payment? ${what}</p>
<form method="post" action="${to}">
<button class="card primary" name="answer" value="allow">Allow</button>
<button class="card" name="answer" value="refuse">Refuse</button>
</form>`;
}
