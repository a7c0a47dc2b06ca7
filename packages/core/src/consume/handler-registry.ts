import type { Clock } from '../clock.ts';
import type { HealthReasons } from '../health.ts';
import { silentLogger, type Observer, type WarningCode } from '../observer.ts';
import { defaultRetryPolicy, mergeRetryPolicy, type RetryPolicy } from '../retry/retry-policy.ts';
import { Warnings } from '../warnings.ts';
import { inProduction, type ConsumerGroupOptions } from './consumer-group-options.ts';
import { warnAboutUndescribed } from './described-types.ts';
import type { Handler } from './handler.ts';
import { Outage } from './outage.ts';
import { policyChain } from './policies/chain.ts';
import type { DeadLetterRecorder } from './policies/dead-letter.ts';
import type { Registration } from './policies/step.ts';
import type { RegisteredHandler } from '../transport/group-registry.ts';
import {
  assertInbox,
  register,
  warnAboutName,
  warnAboutWildcards,
  type HandlerOptions,
} from './registration.ts';

/** What the policies around every handler of a group share. */
interface HandlerRegistryOptions {
  readonly options: ConsumerGroupOptions;
  /** Stores dead letters; absent for broadcast subscriptions. */
  readonly recorder: DeadLetterRecorder | undefined;
  readonly clock: Clock;
  readonly observe: Observer;
  readonly reasons: HealthReasons;
}

/** The handlers of one group, each with its policies around it. */
export class HandlerRegistry {
  /** As they are called in the group. */
  readonly registrations: Registration[] = [];
  readonly warnings: Warnings;
  /** As they were registered. */
  readonly #added: Registration[] = [];
  readonly #parts: HandlerRegistryOptions;
  readonly #retry: RetryPolicy;
  readonly #outages: Outage[] = [];

  constructor(parts: HandlerRegistryOptions) {
    const { silence, retry } = parts.options;
    this.#parts = parts;
    this.warnings = new Warnings({ observe: parts.observe, silence });
    this.#retry = mergeRetryPolicy(defaultRetryPolicy, retry);
  }

  /** The patterns of all handlers. */
  get patterns(): string[] {
    return this.registrations.flatMap(({ patterns }) => patterns);
  }

  /**
   * Adds a handler.
   *
   * @returns Its name.
   * @throws {TypeError} If a pattern, an option or the name is not usable.
   */
  add(patterns: readonly string[], handler: Handler, asked: HandlerOptions): string {
    const { options } = this.#parts;
    const registration = register({
      patterns,
      handler,
      options: asked,
      defaults: { retry: this.#retry, timeoutMs: options.timeoutMs ?? 30_000 },
      middleware: options.middleware ?? [],
      others: this.#added,
      chain: this.#chains(asked.silence ?? []),
    });
    assertInbox(registration, options);
    if (inProduction(options)) warnAboutWildcards(registration, asked, this.warnings);
    warnAboutUndescribed(registration, asked, options.catalogue, this.warnings);
    if (options.group !== null) warnAboutName(registration, asked, this.warnings);
    this.#added.push(registration);
    this.registrations.push(registration);
    return registration.name;
  }

  /** What the other instances of the group have to know of them. */
  asRegistered(): RegisteredHandler[] {
    return this.#added.map(({ name, patterns, derived, formerly }) => {
      return { name, patterns, derived, formerly };
    });
  }

  /** Calls each what it is called in its group. @param keyOf Of a name as it was registered. */
  rename(keyOf: (name: string) => string): void {
    const renamed = this.#added.map((registration) => {
      const { name, formerly } = registration;
      return { ...registration, name: keyOf(name), formerly: formerly.map(keyOf) };
    });
    this.registrations.splice(0, this.registrations.length, ...renamed);
  }

  /** Takes note that the group has stopped: no handler is called any more. */
  end(): void {
    for (const outage of this.#outages) outage.giveUp();
  }

  #chains(silence: readonly WarningCode[]): (name: string, once: boolean) => Registration['run'] {
    let outage: Outage | undefined;
    return (name, once) => {
      outage ??= this.#outageOf(name);
      return this.#chain({ once, silence, outage });
    };
  }

  /** A broadcast is best effort, and nothing of it waits. */
  #outageOf(handler: string): Outage | undefined {
    const { options, ...shared } = this.#parts;
    const { group, outageAfterKeys: afterKeys = 5 } = options;
    if (group === null) return undefined;
    const outage = new Outage({ ...shared, group, handler, afterKeys });
    this.#outages.push(outage);
    return outage;
  }

  #chain({ once, silence, outage }: ChainOptions): Registration['run'] {
    const { options, ...shared } = this.#parts;
    return policyChain({
      ...shared,
      group: options.group,
      once,
      outage,
      transactions: options.transactions,
      inbox: options.inbox,
      slowMs: silence.includes('SLOW_HANDLER')
        ? Number.POSITIVE_INFINITY
        : (options.slowMs ?? 10_000),
      warnings: this.warnings,
      silence,
      random: options.random ?? Math.random,
      logger: options.logger ?? silentLogger,
    });
  }
}

interface ChainOptions {
  /** For redrives, which are one attempt. */
  readonly once: boolean;
  readonly silence: readonly WarningCode[];
  readonly outage: Outage | undefined;
}
