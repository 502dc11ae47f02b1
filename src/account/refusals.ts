/** What comes of a refusal on these pages: a sentence on the page that was sent, a page that says no, or the failure page. */

import { Problem } from '../base/errors.ts';
import { noRightPage } from '../../views/account/frame.ts';
import { membersTexts } from '../../views/account/members_texts.ts';
import type { AccountPages } from './pages.ts';
import type { Answer, MemberVisit } from './visit.ts';

const sentences: Readonly<Record<string, string>> = membersTexts.problems;

export interface Refusal {
  code: string;
  sentence: string;
  status: number;
}

/** `undefined`: a failure that has no sentence here. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Problem)) return undefined;
  const { code, status } = error;
  const sentence = Object.hasOwn(sentences, code) ? sentences[code] : undefined;
  return sentence === undefined ? undefined : { code, sentence, status };
}

/**
 * Does what was asked. Who lost the right, or the account, since the page was drawn is told so, and nothing was done.
 * @param act `show`: the page again, with the sentence
 */
export async function attempt(
  { account }: MemberVisit,
  { config }: Pick<AccountPages, 'config'>,
  act: { act: () => Promise<Answer>; show: (refusal: Refusal) => Answer | Promise<Answer> },
): Promise<Answer> {
  try {
    return await act.act();
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_allowed') {
      const page = noRightPage({ account: account.name, back: '/account' }, config.brand);
      return { page, status: 403 };
    }
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    return act.show(refusal);
  }
}
