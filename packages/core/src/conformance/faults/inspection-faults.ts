import { systemClock } from '../../clock.ts';
import type { GroupInspection, PartitionInspection } from '../../transport/transport-inspection.ts';
import type { PlantedFault } from '../describe-planted-faults.ts';
import type { TransportConformanceOptions } from '../transport/transport-bench.ts';
import { transportFault, type TransportChanges } from './transport-fault.ts';

const counted = 'counts what is handed out and not settled, and what is not handed out yet';
const waiting = 'counts what a group without a consumer has still to get';
const named = 'names the members of a group while they consume, and not after they have left';
const aging = 'tells how old the oldest message is that a group has not finished';
const sums = 'tells partition by partition how far a group is, which adds up to the group';

/** The numbers of a transport are wrong. */
export const inspectionFaults: readonly PlantedFault<TransportConformanceOptions>[] = [
  transportFault('says that nothing is pending', counted, () => saying(() => ({ pending: 0 }))),
  transportFault('says that no group is behind', waiting, () => saying(() => ({ lag: 0 }))),
  transportFault('names nobody', named, () => saying(() => ({ members: [], consumers: 0 }))),
  transportFault('names members that have left', named, () => {
    const seen = new Map<string, GroupInspection['members'][number]>();
    return saying(({ members }) => {
      for (const each of members) seen.set(each.name, each);
      return { members: [...seen.values()], consumers: seen.size };
    });
  }),
  transportFault('counts its members otherwise than it names them', named, () =>
    saying(({ consumers }) => ({ consumers: consumers + 1 })),
  ),
  transportFault('never says that a group is late', aging, () => saying(() => ({ lagSeconds: 0 }))),
  transportFault('tells milliseconds for seconds', aging, () =>
    saying(({ lagSeconds = 0 }) => ({ lagSeconds: lagSeconds * 1_000 })),
  ),
  transportFault('counts from the message that came last', aging, () => {
    let lastMs = systemClock.now();
    return (inner) => ({
      publish: (messages) => {
        lastMs = systemClock.now();
        return inner.publish(messages);
      },
      ...saying(({ lagSeconds }) => ({
        lagSeconds: lagSeconds && (systemClock.now() - lastMs) / 1_000,
      }))(inner),
    });
  }),
  transportFault('counts on when everything is finished', aging, () => {
    const beganMs = systemClock.now();
    return saying(() => ({ lagSeconds: (systemClock.now() - beganMs) / 1_000 }));
  }),
  transportFault('leaves out a partition', sums, () =>
    saying(({ partitions = [] }) => ({
      partitions: partitions.filter(({ pending, lag }) => pending + lag === 0),
    })),
  ),
  transportFault('tells the delivered offset for the committed one', sums, () =>
    onPartitions((part) => ({ position: part.position + part.pending })),
  ),
  transportFault('says that nobody has a partition', sums, () =>
    onPartitions(() => ({ member: undefined })),
  ),
  transportFault('makes up partitions', 'tells of no partitions where there are none', () =>
    saying(() => ({ partitions: [] })),
  ),
];

function saying(change: (group: GroupInspection) => Partial<GroupInspection>): TransportChanges {
  return (inner) => ({
    inspect: async () => {
      const { streams } = await inner.inspect();
      return {
        streams: streams.map((stream) => ({
          ...stream,
          groups: stream.groups.map((group) => ({ ...group, ...change(group) })),
        })),
      };
    },
  });
}

function onPartitions(
  change: (part: PartitionInspection) => Partial<PartitionInspection>,
): TransportChanges {
  return saying(({ partitions = [] }) => ({
    partitions: partitions.map((part) => ({ ...part, ...change(part) })),
  }));
}
