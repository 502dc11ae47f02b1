/** E-mail domains of accounts, as other rooms and commands see them. */

import type { AccountDomain } from '../storage/documents.ts';
import type { Account } from './accounts.ts';

export interface DomainRecord {
  /** Where the TXT record goes, and what it says. */
  name: string;
  value: string;
}

export interface DomainOffer {
  account: Account;
  domain: string;
  /** `waiting`: they asked, and somebody has to confirm it. */
  mode: AccountDomain['mode'] | 'waiting';
}

export interface Domains {
  /**
   * It is not proven yet. Added twice it is the same.
   * @throws {Problem} `domain_invalid`, `domain_public` (400), `too_many_domains` (409), `not_allowed` (403),
   *   `domains_off` (404), `account_unknown` (404), `account_closed` (409)
   */
  add(account: string, domain: string, by?: string): Promise<AccountDomain>;
  /** What is to be put into the domain's records. */
  record(domain: AccountDomain): DomainRecord;
  /**
   * Looks for the record.
   * @throws {Problem} `domain_unknown` (404), `domain_unproven` (409): the record is not there; `domain_taken` (409):
   *   another account proved it; `dns_unavailable` (503)
   */
  prove(account: string, domain: string, by?: string): Promise<AccountDomain>;
  /** @returns whether it was there */
  remove(account: string, domain: string, by?: string): Promise<boolean>;
  /**
   * Who comes with an address of it: whether they join or ask to, and as what. Nobody becomes an owner so.
   * @throws {Problem} `domain_unknown` (404), `role_invalid` (400), `not_allowed` (403)
   */
  set(
    account: string,
    domain: string,
    how: { mode: AccountDomain['mode']; roles: readonly string[] },
    by?: string,
  ): Promise<AccountDomain>;
  /** Accounts that this person may join, or ask to join, because of a verified address. */
  offers(user: string): Promise<DomainOffer[]>;
  /**
   * Joins, or asks to be let in.
   * @throws {Problem} `domain_unknown` (404): it is not (any more) offered to them; `too_many_requests_to_join` (429);
   *   and what `addMember` throws
   */
  join(account: string, user: string): Promise<'joined' | 'waiting' | 'member'>;
}
