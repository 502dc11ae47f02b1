/** What the dashboard says to people and to programs alike. */

export interface TokenWords {
  account: string;
  claims: Readonly<Record<string, unknown>>;
}

/** Of `/dashboard/state`. */
export interface SimulatorState {
  now: string;
  subscriptions: { customer: string; plan: string; status: string; dates: string }[];
  tokens: TokenWords[];
}

/** With times as people read them: a token has seconds. */
export function readable({ claims }: TokenWords): string {
  const latest = 253_402_300_799;
  return JSON.stringify(claims, (_name, value: unknown) =>
    typeof value === 'number' && value > 1_000_000_000 && value <= latest
      ? new Date(value * 1000).toISOString().slice(0, 16)
      : value,
  );
}
