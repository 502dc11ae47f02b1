/** Stripe's test cards, by what happens to them, and a debit of a bank account, which takes days. */

export const cards = {
  pays: '4242424242424242',
  declined: '4000000000000002',
  insufficientFunds: '4000000000009995',
  expired: '4000000000000069',
  /** Asks for the bank's question, once; later charges of it pass. */
  authenticates: '4000002500003155',
  /** Asks for the bank's question at every charge, also when nobody is there. */
  alwaysAuthenticates: '4000002760003184',
  /** Can be attached; every charge of it fails. */
  failsLater: '4000000000000341',
  bankDebit: 'bank_debit',
} as const;
