import { randomUUID } from 'node:crypto';

/** Makes identifiers: each call returns one that nobody else has. */
export type Ids = () => string;

/** UUID version 4. */
export const randomIds: Ids = () => randomUUID();
