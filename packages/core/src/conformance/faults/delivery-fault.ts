import { isDeadLetterQueue, type DeadLetterQueue } from '../../consume/dead-letter-queue.ts';
import type { DeadLetterSink } from '../../consume/dead-letter-sink.ts';
import type { Inbox } from '../../consume/inbox.ts';
import type { Message } from '../../event/message.ts';
import type { HandoverQueue } from '../../transport/handover-queue.ts';
import type { DeliveryConformanceOptions, DeliverySubject } from '../delivery/delivery-bench.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import { changed } from './changed.ts';
import type { TransportChanges } from './transport-fault.ts';

export type DeliveryFault = PlantedFault<DeliveryConformanceOptions>;

/**
 * A fault of what deliveries run on.
 *
 * @param start Called for each case, so that what is changed of a case shares what the fault remembers.
 */
export function deliveryFault(
  name: string,
  noticedBy: string,
  start: () => (subject: DeliverySubject) => Partial<DeliverySubject>,
): DeliveryFault {
  return {
    name,
    noticedBy,
    plant: (options) => ({
      ...options,
      create: async () => {
        const subject = await options.create();
        return changed(subject, start()(subject));
      },
    }),
  };
}

/** A fault of the transport. */
export function overTransport(
  name: string,
  noticedBy: string,
  start: () => TransportChanges,
): DeliveryFault {
  return deliveryFault(name, noticedBy, () => {
    const changesOf = start();
    return (subject) => ({
      open: async () => {
        const inner = await subject.open();
        return changed(inner, changesOf(inner));
      },
    });
  });
}

/** A fault of the sink of dead letters. */
export function overDeadLetters(
  name: string,
  noticedBy: string,
  changes: (inner: DeadLetterSink) => Partial<DeadLetterSink>,
): DeliveryFault {
  return deliveryFault(name, noticedBy, () => ({ deadLetters }) => ({
    deadLetters: changed(deadLetters, changes(deadLetters)),
  }));
}

/** A fault of what only a queue does; a sink alone is left as it is. */
export function overRedrives(
  name: string,
  noticedBy: string,
  changes: (inner: DeadLetterQueue) => Partial<DeadLetterQueue>,
): DeliveryFault {
  return overDeadLetters(name, noticedBy, (inner) =>
    isDeadLetterQueue(inner) ? changes(inner) : {},
  );
}

/** A fault of the inbox, where there is one. */
export function overInbox(
  name: string,
  noticedBy: string,
  changes: (inner: Inbox) => Partial<Inbox>,
): DeliveryFault {
  return deliveryFault(
    name,
    noticedBy,
    () =>
      ({ inbox }) =>
        inbox ? { inbox: changed(inbox, changes(inbox)) } : {},
  );
}

/** A fault of every queue of handovers: the subject's own, and the transport's. */
export function overHandovers(
  name: string,
  noticedBy: string,
  start: () => (inner: HandoverQueue) => Partial<HandoverQueue>,
): DeliveryFault {
  return deliveryFault(name, noticedBy, () => {
    const changesOf = start();
    const faulty = (inner: HandoverQueue): HandoverQueue => changed(inner, changesOf(inner));
    return ({ handovers, ...subject }) => ({
      ...(handovers ? { handovers: faulty(handovers) } : {}),
      open: async () => {
        const inner = await subject.open();
        return inner.handovers ? changed(inner, { handovers: faulty(inner.handovers) }) : inner;
      },
    });
  });
}

/** The same message with other data in its event. */
export function withOtherData(message: Message): Message {
  const event = JSON.parse(Buffer.from(message.body).toString('utf8')) as object;
  return { ...message, body: JSON.stringify({ ...event, data: 'other' }) };
}
