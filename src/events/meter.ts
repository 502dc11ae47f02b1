/** What is counted of deliveries. Something else may show it to whoever watches. */

export type AttemptOutcome = 'delivered' | 'refused' | 'gone' | 'later' | 'unencodable';

export interface Meter {
  /** One request, and what came of it. */
  attempt(receiver: string, outcome: AttemptOutcome, milliseconds: number): void;
  /** From the event to the start of its first attempt. */
  lag(receiver: string, milliseconds: number): void;
  /** A delivery was given up. */
  dead(receiver: string): void;
  /** Lanes that wait for a place, and requests under way, at this process. */
  load(waiting: number, running: number): void;
}

export const noMeter: Meter = {
  attempt: () => undefined,
  lag: () => undefined,
  dead: () => undefined,
  load: () => undefined,
};
