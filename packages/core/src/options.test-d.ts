import { assertKnownOptions, assertTransactionChoice, type OptionNames } from './options.ts';
import type { TransactionChoice } from './transaction.ts';

interface Asked {
  name: string;
  limit?: number;
}

const all: OptionNames<Asked> = { name: true, limit: true };
assertKnownOptions('a call', { name: 'a' } as Asked, all);

// @ts-expect-error a list that forgets an option is refused, also an optional one
const forgetful: OptionNames<Asked> = { name: true };
// @ts-expect-error and so is one that names what is none
const talkative: OptionNames<Asked> = { name: true, limit: true, size: true };
void [forgetful, talkative];

// Where there are several ways to ask, all of them count.
type Either = { url: string } | { client: object };
const either: OptionNames<Either> = { url: true, client: true };
// @ts-expect-error one of the ways is forgotten
const oneWay: OptionNames<Either> = { url: true };
void [either, oneWay];

declare const choice: (TransactionChoice & { route?: string }) | undefined;
assertTransactionChoice('a call', choice, { route: true });
// @ts-expect-error what a call takes beside the transaction has to be named
assertTransactionChoice('a call', choice, {});
