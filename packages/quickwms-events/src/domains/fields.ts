import { z } from 'zod';

/** Most items that one event may name: a truckload, well under the size limits of the transports. */
const MAX_ITEMS = 10_000;
const MAX_TEXTS = 1_000;
const MAX_AMOUNT = 1_000_000_000_000;
const MAX_COUNT = 1_000_000_000;

/** Reference to an entity, 1 to 255 characters; services mint ids in different forms, so no form is asked for. */
export const id = (description: string) => z.string().min(1).max(255).describe(description);

/** QuickLotz global id: exactly nine digits. */
export const qlid = () =>
  z
    .string()
    .regex(/^\d{9}$/, 'must be exactly nine digits')
    .describe('QuickLotz global id of the item, nine digits');

/** Short text such as a name, a place or a category, 1 to 255 characters. */
export const text = (description: string) => z.string().min(1).max(255).describe(description);

/** Longer text written by people, 1 to 2,000 characters. */
export const prose = (description: string) => z.string().min(1).max(2_000).describe(description);

/**
 * Amount of money in major units, from 0, with at most two decimals.
 *
 * Sums of floats such as 0.1 + 0.2 are refused: once stored they no longer add up to what was booked.
 * The rule is not printed as `multipleOf: 0.01`, which common JSON Schema validators get wrong for 19.99.
 */
export const money = (description: string) =>
  z
    .number()
    .min(0)
    .max(MAX_AMOUNT)
    .refine(isWholeCents, 'must have at most two decimals; round it before publishing')
    .describe(`${description}, in major units of the currency with at most two decimals`);

/** ISO 4217 code of the currency that the amounts beside it are in. */
export const currency = () =>
  z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be three capital letters, such as USD')
    .describe('ISO 4217 code of the currency of every amount in this event');

/** Whole number of things, from 0. */
export const count = (description: string) => z.int().min(0).max(MAX_COUNT).describe(description);

/** Whole number of things that moved, from 1. */
export const quantity = (description: string) =>
  z.int().min(1).max(MAX_COUNT).describe(description);

/** Measured size such as minutes or kilograms, from 0, fractions allowed; the description names the unit. */
export const measure = (description: string) =>
  z.number().min(0).max(MAX_COUNT).describe(description);

/** Share of a whole, from 0 to 1. */
export const fraction = (description: string) => z.number().min(0).max(1).describe(description);

/** Moment as ISO 8601 text with seconds and either `Z` or an offset. */
export const timestamp = (description: string) =>
  z.iso.datetime({ offset: true }).describe(`${description}, ISO 8601 with Z or an offset`);

/** Calendar day, or the exact moment, as ISO 8601 text. */
export const day = (description: string) =>
  z
    .union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'must be an ISO 8601 date or date-time',
    )
    .describe(`${description}, ISO 8601 date or date-time`);

/** Absolute web address; other schemes are refused because readers show it as a link. */
export const url = (description: string) =>
  z
    .string()
    .max(2_048)
    .regex(/^https?:\/\/[^\s/]\S*$/, 'must be an http or https address')
    .meta({ description, format: 'uri' });

/** Ids of items, 1 to 10,000. */
export const itemIds = (description: string) =>
  z.array(z.string().min(1).max(255)).min(1).max(MAX_ITEMS).describe(description);

/** Short texts or ids, 0 to 1,000. */
export const texts = (description: string) =>
  z.array(z.string().min(1).max(255)).max(MAX_TEXTS).describe(description);

/** Quality grade of an item, best to worst. */
export const grade = (description: string) =>
  z.enum(['A', 'B', 'C', 'D', 'F']).describe(description);

/** Yes or no. */
export const flag = (description: string) => z.boolean().describe(description);

/** Warehouse in which it happened. */
export const warehouseId = () => id('Warehouse in which it happened');

function isWholeCents(amount: number): boolean {
  return Math.round(amount * 100) / 100 === amount;
}
