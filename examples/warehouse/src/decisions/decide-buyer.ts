/** A wish to buy a unit, as the input has it. */
export interface Wish {
  readonly reference: string;
  readonly placedAt: string;
}

/** An order; without a limit its buyer pays any price. */
export interface OrderWish extends Wish {
  readonly limitCents: number | null;
}

export interface BidWish extends Wish {
  readonly amountCents: number;
}

/** The order that a unit at this price goes to: the earliest one whose limit covers it. */
export function decideBuyer<T extends OrderWish>(
  orders: readonly T[],
  priceCents: number,
): T | undefined {
  return [...orders]
    .sort(byPlacement)
    .find(({ limitCents }) => limitCents === null || limitCents >= priceCents);
}

/** The bid that wins an auction: the highest one from the reserve on, of equal ones the earliest. */
export function decideWinner<T extends BidWish>(
  bids: readonly T[],
  reserveCents: number,
): T | undefined {
  return bids
    .filter(({ amountCents }) => amountCents >= reserveCents)
    .sort((one, other) => other.amountCents - one.amountCents || byPlacement(one, other))[0];
}

/** The first request for a unit, by the input's times; the reference settles what they leave open. */
function byPlacement(one: Wish, other: Wish): number {
  const inOrder =
    one.placedAt === other.placedAt
      ? one.reference < other.reference
      : one.placedAt < other.placedAt;
  return inOrder ? -1 : 1;
}
