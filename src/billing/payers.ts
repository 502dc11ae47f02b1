/** Who may pay for an account, change its plan and see its invoices; and whom the others are told to ask. */

import type { Config } from '../config.ts';
import type { Directory } from '../directory/directory.ts';
import { ownerRole } from '../directory/roles.ts';
import type { AccountDocument } from '../storage/documents.ts';

export function mayPay(roles: readonly string[], config: Pick<Config, 'stripe'>): boolean {
  const allowed = [ownerRole, ...(config.stripe?.billingRoles ?? [])];
  return roles.some((role) => allowed.includes(role));
}

const mostNamed = 5;

/** The owners, as other members of the account know them: by name, otherwise by e-mail address. */
export async function namesOfOwners(
  directory: Pick<Directory, 'user'>,
  { owners }: Pick<AccountDocument, 'owners'>,
): Promise<string[]> {
  const users = await Promise.all(owners.slice(0, mostNamed).map((id) => directory.user(id)));
  return users.flatMap((user) => {
    if (user?.document.status !== 'active') return [];
    return [user.document.name ?? user.document.email ?? []].flat();
  });
}
