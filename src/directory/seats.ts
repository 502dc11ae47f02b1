/**
 * What the directory asks where members are paid for. Whose business that is (billing's) is not known here: without it
 * there is room for everybody.
 */

export interface Seats {
  /**
   * Takes one, before a membership begins. It is kept for a few minutes, until they have arrived.
   * @throws {Problem} `seats_full` (402), and why one more cannot be paid for
   */
  take(account: string, user: string): Promise<void>;
  /**
   * The membership has begun. Any number of times.
   * @throws {Problem} `seats_full` (402): it took so long that somebody else has the seat
   */
  arrived(account: string, user: string): Promise<void>;
  /** Gives it back, unless they are a member. Never fails: what is left over is found later. */
  giveBack(account: string, user: string): Promise<void>;
}

export const roomForAll: Seats = {
  take: () => Promise.resolve(),
  arrived: () => Promise.resolve(),
  giveBack: () => Promise.resolve(),
};

/** Billing is built on the directory, and asked by it: a knot, tied late. */
export function lateSeats(): Seats & { tie(seats: Seats): void } {
  let target = roomForAll;
  return {
    take: (account, user) => target.take(account, user),
    arrived: (account, user) => target.arrived(account, user),
    giveBack: (account, user) => target.giveBack(account, user),
    tie(seats) {
      target = seats;
    },
  };
}
