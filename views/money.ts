/** Money as people write it, from Stripe's amounts: whole numbers of a currency's smallest unit. */

/** Written without decimals by everybody else; Stripe counts them in hundredths all the same. */
const inHundredths = new Set(['isk', 'ugx']);

/** @param currency in three letters, as `eur` */
export function money(amount: number, currency: string, language: string): string {
  const format = new Intl.NumberFormat(language, { style: 'currency', currency });
  const digits = inHundredths.has(currency)
    ? 2
    : (format.resolvedOptions().maximumFractionDigits ?? 2);
  return format.format(amount / 10 ** digits);
}
