/** A handler, as the other instances of its group know it. */
export interface RegisteredHandler {
  readonly name: string;
  readonly patterns: readonly string[];
  /** True if its name was made from its patterns: then it counts as one handler of its types, whatever it is called. */
  readonly derived: boolean;
  /** Names that it had before. */
  readonly formerly: readonly string[];
}

/** What one version of a service handles in a group. */
export interface HandlerSet {
  /** Name of the service. */
  readonly service: string;
  readonly handlers: readonly RegisteredHandler[];
  /**
   * The version of its data that it knows, by event type or pattern, as far as its catalogue has one that its
   * handlers ask for; other types it takes in any version.
   */
  readonly versions: Readonly<Record<string, number>>;
  /** Where it keeps what others are to do; equal for instances that share it, `null` if they cannot. */
  readonly sharedBy: string | null;
}

/** A set as the registry keeps it. */
export interface KnownHandlerSet extends HandlerSet {
  /** Equal for equal sets of one service. */
  readonly id: string;
  /** The worker that was seen with it last. */
  readonly worker: string;
  /** How long ago it was registered first, and seen last, in milliseconds by the registry's own clock. */
  readonly registeredAgoMs: number;
  readonly seenAgoMs: number;
}

/** A registry as it was at one moment. */
export interface RegistryCopy {
  /** Another one after each change of what is registered; to be seen again changes nothing. */
  readonly version: string;
  /** The service that came first, empty if none did: another one shares the group by mistake. */
  readonly owner: string;
  readonly sets: readonly KnownHandlerSet[];
}

/**
 * Remembers what the instances of a group handle, for as long as the group exists: what one of them meets and
 * cannot handle is not settled before it is left for whoever can.
 *
 * It lies where the group's messages are settled, so that a settlement is refused under an outdated copy of it.
 */
export interface GroupRegistry {
  /**
   * Adds what an instance handles, unless that is known, and takes note that the instance is there.
   *
   * @param id Of the set; a set that is known by it is replaced where it differs.
   * @returns The registry as it is now: without the set, if the server takes no writes because it is full.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`
   */
  register(
    group: string,
    set: HandlerSet & { readonly id: string },
    worker: string,
  ): Promise<RegistryCopy>;
  /**
   * @returns The registry as it is, also of a group that nobody has registered in: without sets then.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`
   */
  read(group: string): Promise<RegistryCopy>;
  /**
   * Forgets a handler of a service, or all that the service has: nothing is left for it any more, until an
   * instance registers it again. A set without handlers is forgotten with it; where the owner has none left, the
   * service that came next owns the group.
   *
   * @param handler.name As it was registered; every handler of the service unless given.
   * @returns False if nothing of that is registered.
   * @throws {EventError} `TRANSPORT_UNAVAILABLE`
   */
  retire(
    group: string,
    handler: { readonly service: string; readonly name?: string },
  ): Promise<boolean>;
}
